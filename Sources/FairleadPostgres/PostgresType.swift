import CLibPQ

/// The types of PostgreSQL that the seam's values come in, by the numbers in its catalog `pg_type`.
enum PostgresType {
  static let bool: Oid = 16
  static let bytes: Oid = 17
  static let name: Oid = 19
  static let int8: Oid = 20
  static let int2: Oid = 21
  static let int4: Oid = 23
  static let text: Oid = 25
  static let oid: Oid = 26
  static let float4: Oid = 700
  static let float8: Oid = 701
  static let unknown: Oid = 705
  static let bpchar: Oid = 1042
  static let varchar: Oid = 1043
  static let void: Oid = 2278

  /// Whose binary form is simply UTF-8.
  static let texts: Set<Oid> = [text, name, unknown, bpchar, varchar]

  /// Whose binary form is read here; a result with any other comes as text.
  static let binary: Set<Oid> = texts.union([
    bool, bytes, int8, int2, int4, oid, float4, float8, void,
  ])
}
