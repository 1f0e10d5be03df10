import Glibc
import NNGraph

/// Adds a learned vector for each position: x (N, T, D) → as x; weight (length, D).
///
/// Traced to be stateful, it takes one position at a time and counts them.
public struct LearnedPositions: Layer {
  /// The most positions a sequence may have.
  public let length: Int
  public let initializer: Initializer

  public init(_ length: Int, initializer: Initializer = .normal(standardDeviation: 0.02)) {
    self.length = length
    self.initializer = initializer
  }

  public var kind: String { "positions" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 3, "(N, T, D)")
    let width = try x.requireExtent(axis: 2)
    guard length >= 1 else { throw NNError(.invalidArgument, "\(length) positions") }
    let table = try x.trace.parameter(
      "weight", [length, width], initializer: initializer, fans: Fans(input: length, output: width))
    return try x + PositionTable.rows(of: table, length: length, for: x)
  }
}

/// Adds sines and cosines of the position: x (N, T, D) → as x. Vaswani et al. 2017, section 3.5:
/// element 2i is sin(t/10000^(2i/D)), element 2i + 1 is cos of the same.
public struct SinusoidalPositions: Layer {
  /// The most positions a sequence may have; it only matters to models that run step by step.
  public let length: Int

  public init(_ length: Int = 1024) {
    self.length = length
  }

  public var kind: String { "positions" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    try x.require(rank: 3, "(N, T, D)")
    let width = try x.requireExtent(axis: 2)
    let rows = x.trace.isStateful ? length : try x.requireExtent(axis: 1)
    var values: [Float] = []
    values.reserveCapacity(try tableSize(rows, width))
    for position in 0..<rows {
      for element in 0..<width {
        let angle = Double(position) / pow(10000, Double(element / 2 * 2) / Double(width))
        values.append(Float(element % 2 == 0 ? sin(angle) : cos(angle)))
      }
    }
    let table = x.trace.constant("sinusoids", try Tensor(values, extents: [rows, width]))
    return try x + PositionTable.rows(of: table, length: rows, for: x)
  }
}

enum PositionTable {
  /// The first T rows of a table (length, D), or in a stateful model the row of the present position.
  static func rows(of table: SymbolicTensor, length: Int, for x: SymbolicTensor) throws(NNError)
    -> SymbolicTensor
  {
    let count = try x.requireExtent(axis: 1)
    guard x.trace.isStateful else {
      guard count <= length else {
        throw NNError(.shapeMismatch, "\(count) positions, of at most \(length)")
      }
      return count == length ? table : try table.sliced([SliceRange(start: 0, end: count), .all])
    }
    guard count == 1 else {
      throw NNError(.shapeMismatch, "takes one position at a time, (1, 1, D), not \(x.shapeDescription)")
    }
    let position = try x.trace.state("position", [1])
    try x.trace.setState("position", to: (position + 1).minimum(x.trace.scalar(Float(length - 1))))
    return try table.gathered(position.cast(to: .i64))
  }
}

/// Rotates pairs of elements of queries and keys by angles that grow with the position, so that their products depend on
/// distances. Su et al. 2021, equation 34, with the pairing of GPT-NeoX: element i goes with i + d/2.
enum RotaryEncoding {
  /// Queries and keys (N, heads, T, d) at positions 0, 1, ….
  static func rotate(_ query: SymbolicTensor, _ key: SymbolicTensor) throws(NNError)
    -> (SymbolicTensor, SymbolicTensor)
  {
    func rotated(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
      let (count, width) = (try x.requireExtent(axis: 2), try x.requireExtent(axis: 3))
      let (cosines, sines) = try tables(x.trace, count, width)
      return try turn(x, cosines, sines, width)
    }
    return (try rotated(query), try rotated(key))
  }

  /// The query and key (1, heads, 1, d) of one position (1), of at most `length`.
  static func rotate(
    _ query: SymbolicTensor, _ key: SymbolicTensor, at position: SymbolicTensor, length: Int
  ) throws(NNError) -> (SymbolicTensor, SymbolicTensor) {
    let width = try query.requireExtent(axis: 3)
    let (cosines, sines) = try tables(query.trace, length, width)
    let row = try position.cast(to: .i64)
    let (cosine, sine) = (try cosines.gathered(row), try sines.gathered(row))
    return (try turn(query, cosine, sine, width), try turn(key, cosine, sine, width))
  }

  /// cos and sin of t·10000^(−2i/d), each (T, d) with the angles of the first half repeated in the second.
  private static func tables(_ trace: Trace, _ count: Int, _ width: Int) throws(NNError)
    -> (SymbolicTensor, SymbolicTensor)
  {
    guard width % 2 == 0 else {
      throw NNError(.invalidArgument, "rotary positions need an even width per head, not \(width)")
    }
    var (cosines, sines): ([Float], [Float]) = ([], [])
    _ = try tableSize(count, width)
    for position in 0..<count {
      for element in 0..<width {
        let angle = Double(position) * pow(10000, -2 * Double(element % (width / 2)) / Double(width))
        cosines.append(Float(cos(angle)))
        sines.append(Float(sin(angle)))
      }
    }
    return (
      trace.constant("rotary_cosines", try Tensor(cosines, extents: [count, width])),
      trace.constant("rotary_sines", try Tensor(sines, extents: [count, width]))
    )
  }

  private static func turn(
    _ x: SymbolicTensor, _ cosines: SymbolicTensor, _ sines: SymbolicTensor, _ width: Int
  ) throws(NNError) -> SymbolicTensor {
    let first = try x.sliced([.all, .all, .all, SliceRange(start: 0, end: width / 2)])
    let second = try x.sliced([.all, .all, .all, SliceRange(start: width / 2, end: width)])
    let turned = try (-second).concatenated(with: [first], axis: 3)
    return try x * cosines + turned * sines
  }
}
