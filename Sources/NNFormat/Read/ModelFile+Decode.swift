import NNGraph

extension ModelFile {
  /// Reads a whole `.nnrt` file.
  ///
  /// Whatever the bytes are, this returns or throws: it does not trap, does not recurse on input, reads nothing outside
  /// `bytes`, and counts everything it allocates against `limits` beforehand. The graph of the result has passed
  /// ``Graph/verify()``, and all checksums were right.
  ///
  /// - Parameters:
  ///   - bytes: The file, mapped or read; weights stored raw can stay in place if it starts at a multiple of 64.
  ///   - keeper: What keeps `bytes` valid and unchanged. If nil, everything needed is copied, and `bytes` need not
  ///     outlive the call.
  ///   - isMapped: Whether `bytes` are a file mapped for reading; then what has been unpacked does not stay in memory twice.
  ///   - limits: What may be allocated.
  ///   - team: Who decodes the weights. The result and the error do not depend on it.
  ///   - readsSelfTests: false leaves the self-test vectors out, which ``selfTests(in:for:limits:)`` reads later.
  /// - Throws: ``ErrorCode/notANnrtFile``, ``ErrorCode/unsupportedVersion``, ``ErrorCode/corruptFile`` or
  ///   ``ErrorCode/checksumMismatch`` for the file; ``ErrorCode/limitExceeded`` or ``ErrorCode/outOfMemory`` for memory;
  ///   what ``Graph/verify()`` throws for a graph that is not well formed.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, keptAliveBy keeper: AnyObject?, isMapped: Bool = false,
    limits: ReadLimits = ReadLimits(), by team: DecodingTeam = .alone, readsSelfTests: Bool = true
  ) throws(NNError) -> ModelFile {
    let reader = try FileReader(bytes, limits: limits)
    // Byte readers point into what the file reader owns.
    return try withExtendedLifetime(reader) { () throws(NNError) -> ModelFile in
      let stored = try reader.readGraph()
      let index = try reader.readTensorIndex(stored.names)
      let tensors = try reader.loadTensors(index, keptAliveBy: keeper, isMapped: isMapped, by: team)
      let graph = stored.assembled(tensors)
      try graph.verify()
      let metadata = try reader.readMetadata()
      let selfTests = readsSelfTests ? try reader.readSelfTests(for: graph) : []
      return ModelFile(graph: graph, metadata: metadata, selfTests: selfTests)
    }
  }

  /// The self-test vectors of a file whose graph was read before.
  ///
  /// - Throws: as ``decode(_:keptAliveBy:isMapped:limits:by:readsSelfTests:)``.
  public static func selfTests(
    in bytes: UnsafeRawBufferPointer, for graph: Graph, limits: ReadLimits = ReadLimits()
  ) throws(NNError) -> [SelfTest] {
    let reader = try FileReader(bytes, limits: limits)
    return try withExtendedLifetime(reader) { () throws(NNError) in try reader.readSelfTests(for: graph) }
  }
}
