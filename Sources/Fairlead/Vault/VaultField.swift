/// Which field of which row a sealed value belongs to. It is bound into the ciphertext, so that a
/// value copied to another row or field does not open there.
public struct VaultField: Hashable, Sendable {
  public let table: String
  public let row: String
  public let field: String

  public init(table: String, row: String, field: String) {
    self.table = table
    self.row = row
    self.field = field
  }

  /// The parts, each after its length in eight bytes, so that no two fields give the same bytes.
  func authenticatedData(_ purpose: String, _ header: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in [
      Array(purpose.utf8), header, Array(table.utf8), Array(row.utf8), Array(field.utf8),
    ] {
      let length = UInt64(part.count)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
      }
      bytes += part
    }
    return bytes
  }
}
