import Fairlead
import Foundation
import HTTPTypes
import Hummingbird
import Mustache
import NIOCore

/// Renders the pages from the templates in the binary. Everything put into a page is escaped.
struct PageRenderer: Sendable {
  private let library: MustacheLibrary

  /// - Throws: when a template does not parse: a defect that the first test finds.
  init() throws {
    var library = MustacheLibrary()
    let templates: [(name: String, bytes: [UInt8])] = [
      ("layout", PackageResources.layout_mustache),
      ("overview", PackageResources.overview_mustache),
      ("alerts", PackageResources.alerts_mustache),
      ("card", PackageResources.card_mustache),
      ("sign-in", PackageResources.sign_in_mustache),
      ("connect", PackageResources.connect_mustache),
      ("outcome", PackageResources.outcome_mustache),
    ]
    for template in templates {
      library.register(
        try MustacheTemplate(string: String(decoding: template.bytes, as: UTF8.self)),
        named: template.name)
    }
    self.library = library
  }

  struct Layout {
    var title: String
    var content: String
    /// Without the navigation: sign-in and the pages end users see.
    var bare: Bool
    var live: Bool
  }

  /// A fragment.
  func fragment(_ template: String, _ values: Any) -> String {
    library.render(values, withTemplate: template) ?? ""
  }

  /// A whole page.
  func page(
    _ template: String, title: String, _ values: Any, bare: Bool = false, live: Bool = false,
    status: HTTPResponse.Status = .ok
  ) -> Response {
    let html =
      library.render(
        Layout(title: title, content: fragment(template, values), bare: bare, live: live),
        withTemplate: "layout") ?? ""
    return Response(
      status: status,
      headers: [
        .contentType: "text/html; charset=utf-8",
        .cacheControl: "no-store",
        .contentSecurityPolicy: Self.contentSecurityPolicy,
        .xContentTypeOptions: "nosniff",
        HTTPField.Name("referrer-policy")!: "same-origin",
        HTTPField.Name("x-frame-options")!: "DENY",
      ],
      body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
  }

  private static let contentSecurityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
