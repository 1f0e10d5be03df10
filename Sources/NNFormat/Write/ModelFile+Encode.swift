import CPlatform
import NNGraph

extension ModelFile {
  /// The bytes of a `.nnrt` file: the same ones for the same model, options and version of zstd.
  ///
  /// - Throws: what ``Graph/verify()`` throws; ``ErrorCode/invalidGraph`` for self-test vectors that do not fit the graph;
  ///   ``ErrorCode/invalidArgument`` for texts that are not UTF-8 and for a compression level that does not exist;
  ///   ``ErrorCode/limitExceeded`` for what a reader would refuse.
  public func encode(
    _ options: WriteOptions = WriteOptions(), progress: WriteProgress? = nil
  ) throws(NNError) -> [UInt8] {
    try graph.verify()
    try validateSelfTests()
    return try FileWriter(options, progress).encode(self)
  }

  /// The bytes that the self-test vectors take in a file.
  ///
  /// - Throws: as ``encode(_:progress:)``.
  public func encodedSelfTestSize(_ options: WriteOptions = WriteOptions()) throws(NNError) -> Int {
    try validateSelfTests()
    return try FileWriter(options, nil).selfTestSize(self)
  }

  private func validateSelfTests() throws(NNError) {
    for (index, selfTest) in selfTests.enumerated() {
      do throws(NNError) {
        try selfTest.validate(for: graph)
      } catch {
        throw error.within("self-test vector \(index)")
      }
    }
  }

  /// Writes a `.nnrt` file in one step: another process sees the old file or the new one, never a part.
  ///
  /// - Throws: as ``encode(_:progress:)``, and ``ErrorCode/fileAccess``.
  public func write(
    to path: UnsafePointer<CChar>, _ options: WriteOptions = WriteOptions()
  ) throws(NNError) {
    let bytes = try encode(options)
    let status = bytes.withUnsafeBytes { nnp_file_write_atomically(path, $0.baseAddress, $0.count) }
    guard status == 0 else {
      throw NNError(
        .fileAccess, String(cString: path) + " cannot be written: " + String(cString: nnp_error_text(status)))
    }
  }
}
