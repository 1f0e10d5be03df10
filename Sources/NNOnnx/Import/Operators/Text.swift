import NNGraph

/// Counts of sequences of whole numbers.
enum Text {
  static let operators: [String: Lowering] = ["TfIdfVectorizer": termFrequencies]

  /// x (L) or (N, L) → for each sequence of the pool how often it stands in each row, with gaps of up to some elements.
  private static func termFrequencies(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let input = try node.input(0)
    let isVector = graph.rank(input) == 1
    let x = try graph.cast(isVector ? try graph.unsqueeze(input, [0]) : input, .i64)
    guard graph.rank(x) == 2 else { throw NNError(.shapeMismatch, "takes (L) or (N, L)") }
    let pool = try node.required(try node.ints("pool_int64s"), "pool_int64s")
    let starts = try node.required(try node.ints("ngram_counts"), "ngram_counts")
    let places = try node.required(try node.ints("ngram_indexes"), "ngram_indexes")
    let lengths = (
      try node.required(try node.int("min_gram_length"), "min_gram_length"),
      try node.required(try node.int("max_gram_length"), "max_gram_length")
    )
    let skips = try node.int("max_skip_count", default: 0)
    guard skips >= 0, skips <= 64, lengths.0 >= 1, lengths.1 <= 64, places.count <= 1 << 16 else {
      throw NNError(.invalidGraph, "sequences of \(lengths.0) to \(lengths.1) numbers with \(skips) gaps")
    }
    var columns: [ValueID] = []
    for (index, start) in starts.enumerated() {
      let length = index + 1
      let end = index + 1 < starts.count ? starts[index + 1] : pool.count
      guard start >= 0, start <= end, end <= pool.count else {
        throw NNError(.invalidGraph, "ngram_counts do not ascend")
      }
      let count = (end - start) / length
      guard count > 0 else { continue }
      let grams = (0..<length).map { place in (0..<count).map { pool[start + $0 * length + place] } }
      let isCounted = length >= lengths.0 && length <= lengths.1
      columns.append(try frequencies(x, grams, gaps: isCounted ? (length == 1 ? 0 : skips) : -1, graph))
    }
    guard !columns.isEmpty, places.allSatisfy({ (0..<1 << 20).contains($0) }) else {
      throw NNError(.invalidGraph, "ngram_indexes do not fit the pool")
    }
    let total = (places.max() ?? -1) + 1
    let all = try graph.concat(columns, axis: 1)
    let result = try placed(try weighted(all, node, graph), places, total, graph)
    return [isVector ? try graph.squeeze(result, [0]) : result]
  }

  /// How often each sequence, given by its first, second, … numbers, stands in each row: f32 (N, sequences).
  private static func frequencies(
    _ x: ValueID, _ grams: [[Int]], gaps: Int, _ graph: GraphBuilder
  ) throws -> ValueID {
    let (rows, extent) = (try graph.extent(x, 0), try graph.extent(x, 1))
    var sum = try graph.expand(try graph.scalar(0, .f32), [rows, grams[0].count])
    for gap in 0..<max(gaps + 1, 0) {
      let windows = extent - (grams.count - 1) * (gap + 1)
      guard windows > 0 else { continue }
      var isEqual: ValueID?
      for (place, numbers) in grams.enumerated() {
        let start = place * (gap + 1)
        let elements = try graph.unsqueeze(try graph.slice(x, axis: 1, start, start + windows), [2])
        let same = try graph.compare(.equal, elements, try graph.ints(numbers))
        isEqual = try isEqual.map { try graph.select($0, same, try graph.scalar(int: 0, .bool)) } ?? same
      }
      guard let isEqual else { continue }
      sum = try graph.add(sum, try graph.reduce(.sum, try graph.cast(isEqual, .f32), [1], keeps: false))
    }
    return sum
  }

  private static func weighted(_ counts: ValueID, _ node: OnnxNode, _ graph: GraphBuilder) throws -> ValueID {
    let weights = try node.floats("weights")
    let mode = try node.required(try node.string("mode"), "mode")
    if mode == "TF" { return counts }
    let one = try graph.scalar(1, .f32)
    let factor = try weights.map { try graph.floats($0, extents: [$0.count]) } ?? one
    switch mode {
    case "IDF": return try graph.multiply(try graph.binary(.minimum, counts, one), factor)
    case "TFIDF": return try graph.multiply(counts, factor)
    default: throw NNError(.invalidGraph, Message(text: "mode \"\(mode)\""))
    }
  }

  /// Columns moved to their places among `total`; the others are 0.
  private static func placed(_ x: ValueID, _ places: [Int], _ total: Int, _ graph: GraphBuilder) throws
    -> ValueID
  {
    let count = try graph.extent(x, 1)
    guard places.count == count else {
      throw NNError(.invalidGraph, "\(places.count) places for \(count) sequences")
    }
    var sources = [Int](repeating: count, count: total)
    for (column, place) in places.enumerated() { sources[place] = column }
    let padded = try graph.append(.pad(Pad(before: [0, 0], after: [0, 1])), x)
    return try graph.gather(padded, try graph.ints(sources), axis: 1)
  }
}
