/// What has been imported up to some node, to come back to.
struct Checkpoint {
  fileprivate let state: GraphBuilder.State
  fileprivate let unsupported: [String]
  fileprivate let warnings: [String]
}

extension Importer {
  var checkpoint: Checkpoint {
    Checkpoint(state: builder.state, unsupported: unsupported, warnings: warnings)
  }

  func restore(_ checkpoint: Checkpoint) {
    builder.state = checkpoint.state
    unsupported = checkpoint.unsupported
    warnings = checkpoint.warnings
  }

  /// What `work` gives, or nil with everything as it was before if it gives nil.
  func attempting<Result>(_ work: () throws -> Result?) throws -> Result? {
    let before = checkpoint
    if let result = try work() { return result }
    restore(before)
    return nil
  }
}
