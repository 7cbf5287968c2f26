/// The version of this library and of the `fairlead` binary.
public enum FairleadVersion {
  public static let current = "0.1.0"
}
