/// Reads what a source threw.
enum SyncFailure {
  static func reading(_ error: any Error, of integration: IntegrationName) -> SyncRun.Failure {
    switch error {
    case SyncInterruption.expired: return .expired
    case SyncInterruption.shifted: return .shifted
    case SyncInterruption.failed(let reason): return .permanent(reason)
    case let error as FairleadError: return reading(error)
    case let error as StorageError:
      return .passing("Storage could not be used (\(error)).", retryAfter: nil)
    case is DecodingError:
      return .permanent("The provider's answer does not have the expected form.")
    // Its words might hold anything.
    default: return .permanent("The sync of \(integration) threw \(type(of: error)).")
    }
  }

  private static func reading(_ error: FairleadError) -> SyncRun.Failure {
    switch error.code {
    case .serviceUnavailable, .rateLimitExceeded, .upstreamTimeout, .outcomeUnknown, .conflict:
      return .passing(error.message, retryAfter: error.retryAfter)
    case .needsReauth: return .needsReauth(error.message)
    case .invalidRequest, .notFound: return .rejected(error.message)
    case .quotaExhausted, .forbidden, .unauthenticated, .configurationError, .payloadTooLarge:
      return .permanent(error.message)
    }
  }
}
