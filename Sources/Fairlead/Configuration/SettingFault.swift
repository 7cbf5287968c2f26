/// What is wrong with a value and what to write instead, to be put behind the name of its setting.
/// It does not quote the value.
struct SettingFault: Error, Equatable {
  let message: String
  init(_ message: String) { self.message = message }
}
