// swift-tools-version: 6.2
import Foundation
import PackageDescription

let package = Package(
  name: "fairlead",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Fairlead", targets: ["Fairlead"]),
    .library(name: "FairleadSQLite", targets: ["FairleadSQLite"]),
    .library(name: "FairleadPostgres", targets: ["FairleadPostgres"]),
    .library(name: "FairleadServer", targets: ["FairleadServer"]),
    .library(name: "FairleadSandbox", targets: ["FairleadSandbox"]),
    .library(name: "FairleadTesting", targets: ["FairleadTesting"]),
    .executable(name: "fairlead", targets: ["FairleadCLI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(
      url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults]),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
  ],
  targets: [
    .target(
      name: "Fairlead",
      dependencies: [
        .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Collections", package: "swift-collections"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [
        .embedInCode("Providers/Catalog/clerk.yaml"),
        .embedInCode("Providers/Catalog/github.yaml"),
        .embedInCode("Providers/Catalog/google.yaml"),
        .embedInCode("Providers/Catalog/openai.yaml"),
        .embedInCode("Providers/Catalog/slack.yaml"),
        .embedInCode("Providers/Catalog/stripe.yaml"),
      ]
    ),
    .target(
      name: "FairleadSQLite",
      dependencies: ["Fairlead", .product(name: "GRDB", package: "GRDB.swift")]
    ),
    .systemLibrary(
      name: "CLibPQ", pkgConfig: "libpq",
      providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
    ),
    .target(
      name: "FairleadPostgres",
      dependencies: [
        "CLibPQ", "Fairlead",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]
    ),
    .target(
      name: "FairleadSandbox",
      dependencies: [
        "Fairlead",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]
    ),
    .target(
      name: "FairleadTesting",
      dependencies: [
        "Fairlead", "FairleadSandbox",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
      ]
    ),
    .target(
      name: "FairleadServer",
      dependencies: [
        "Fairlead",
        .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [
        .embedInCode("Pages/Assets/fairlead.css"),
        .embedInCode("Pages/Assets/icon.svg"),
        .embedInCode("Pages/Assets/live.js"),
        .embedInCode("Pages/Templates/alerts.mustache"),
        .embedInCode("Pages/Templates/card.mustache"),
        .embedInCode("Pages/Templates/connect.mustache"),
        .embedInCode("Pages/Templates/layout.mustache"),
        .embedInCode("Pages/Templates/outcome.mustache"),
        .embedInCode("Pages/Templates/overview.mustache"),
        .embedInCode("Pages/Templates/sign-in.mustache"),
      ]
    ),
    .executableTarget(
      name: "FairleadCLI",
      dependencies: [
        "Fairlead", "FairleadPostgres", "FairleadSQLite", "FairleadSandbox", "FairleadServer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]
    ),
    .testTarget(
      name: "FairleadTests",
      dependencies: [
        "Fairlead", "FairleadPostgres", "FairleadSQLite", "FairleadSandbox", "FairleadTesting",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
      ]
    ),
    .testTarget(
      name: "FairleadSandboxTests",
      dependencies: [
        "Fairlead", "FairleadSandbox", "FairleadTesting",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]
    ),
    .testTarget(
      name: "FairleadCLITests",
      dependencies: [
        "Fairlead", "FairleadCLI", "FairleadTesting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
      ]
    ),
    .testTarget(
      name: "FairleadServerTests",
      dependencies: [
        "Fairlead", "FairleadSQLite", "FairleadSandbox", "FairleadServer", "FairleadTesting",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]
    ),
  ]
)

// One settings loop: every target follows the same rules.
for target in package.targets where target.type != .system {
  var settings = target.swiftSettings ?? []
  settings += [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
  if ProcessInfo.processInfo.environment["FAIRLEAD_STRICT"] == "1" {
    settings.append(.treatAllWarnings(as: .error))
  }
  target.swiftSettings = settings
}
