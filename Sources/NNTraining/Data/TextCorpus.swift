import Files
import NNGraph

/// A text as a sequence of characters (bytes), each an index into the alphabet of those that occur: for models of language.
public struct TextCorpus: Sendable {
  /// The bytes that occur, ascending: token i stands for `alphabet[i]`.
  public let alphabet: [UInt8]
  public let tokens: [Int32]

  /// - Throws: ``ErrorCode/fileAccess`` naming the path.
  public init(path: String) throws(NNError) {
    self.init(bytes: try WholeFile.read(path) { (bytes) throws(NNError) in Array(bytes) })
  }

  public init(bytes: [UInt8]) {
    let occurring = Set(bytes).sorted()
    var index = [Int32](repeating: 0, count: 256)
    for (token, byte) in occurring.enumerated() { index[Int(byte)] = Int32(token) }
    alphabet = occurring
    tokens = bytes.map { index[Int($0)] }
  }

  /// The text that tokens stand for.
  public func text(_ tokens: some Sequence<Int>) -> String {
    String(
      decoding: tokens.map { alphabet.indices.contains($0) ? alphabet[$0] : UInt8(ascii: "?") }, as: UTF8.self
    )
  }

  /// Windows of `length` tokens, each with the tokens that follow them as targets.
  ///
  /// - Parameters:
  ///   - range: the part of the text to cut them from.
  ///   - stride: how far apart they begin; `length` for windows side by side.
  /// - Throws: ``ErrorCode/invalidArgument`` if not one fits.
  public func windows(of length: Int, in range: Range<Int>, stride step: Int) throws(NNError) -> Dataset {
    guard length >= 1, step >= 1, range.lowerBound >= 0, range.upperBound <= tokens.count,
      range.count > length
    else {
      throw NNError(
        .invalidArgument,
        "windows of \(length) tokens, \(step) apart, of tokens \(range.lowerBound)..<\(range.upperBound) of \(tokens.count)"
      )
    }
    var (inputs, targets): ([Int32], [Int]) = ([], [])
    for start in stride(from: range.lowerBound, to: range.upperBound - length, by: step) {
      inputs += tokens[start..<start + length]
      targets += tokens[start + 1...start + length].map { Int($0) }
    }
    return try Dataset(tokens: inputs, sampleShape: [length], targets: .positions(targets, shape: [length]))
  }
}
