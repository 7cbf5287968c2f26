import Fairlead

extension StripeState {
  private static let productFields: [String: StripeField] = [
    "id": .special, "name": .text, "active": .flag, "description": .text, "images": .texts,
    "url": .text, "unit_label": .text, "statement_descriptor": .text, "tax_code": .text,
    "shippable": .flag, "default_price": .text,
  ]

  func blankProduct(name: String, id: String? = nil) -> Object {
    var product = base(.product, id: id)
    for member in [
      "default_price", "description", "package_dimensions", "shippable", "statement_descriptor",
      "tax_code", "unit_label", "url",
    ] { product[member] = .null }
    product["name"] = .string(name)
    product["active"] = true
    product["images"] = []
    product["marketing_features"] = []
    product["type"] = "service"
    product["updated"] = .int(now.seconds)
    return product
  }

  mutating func createProduct(_ parameters: StripeParameters) throws(StripeError) -> Object {
    let name = try parameters.required("name")
    let id = try parameters.text("id").flatMap { $0.isEmpty ? nil : $0 }
    if let id {
      guard id.utf8.count <= 200, anything(id) == nil else {
        throw .invalid("Product already exists.", code: "resource_already_exists", param: "id")
      }
    }
    var product = blankProduct(name: name, id: id)
    try parameters.apply(Self.productFields, to: &product)
    if parameters.has("default_price") {
      throw .invalid("Create the price first, then update the product.", param: "default_price")
    }
    save(.product, product)
    record("product.created", product)
    return product
  }

  mutating func updateProduct(
    _ id: String, _ parameters: StripeParameters
  ) throws(StripeError) -> Object {
    let before = try live(.product, id)
    if parameters.has("id") { throw .unknown("id") }
    var product = before
    try parameters.apply(Self.productFields, to: &product)
    if let price = product["default_price"]?.string {
      _ = try referenced(.price, price, param: "default_price")
    }
    if product != before { product["updated"] = .int(now.seconds) }
    saveChange(.product, product, before: before, event: "product.updated")
    return product
  }
}
