import NNTraining

/// Character n-grams of all orders up to one, interpolated: P(c | context) = (count + λ·P(c | shorter context)) / (total + λ),
/// with a λ for each order: the form of MacKay and Peto 1995.
struct NGramModel {
  private let order: Int
  private let letters: Int
  private var counts: [[UInt64: Int32]]
  private var totals: [[UInt64: Int32]]
  private var lambdas: [Double]

  init(_ tokens: ArraySlice<Int32>, order: Int, letters: Int) {
    self.order = order
    self.letters = letters
    counts = Array(repeating: [:], count: order)
    totals = Array(repeating: [:], count: order)
    lambdas = Array(repeating: 5, count: order)
    learn(tokens)
  }

  /// The model with another text's counts added.
  func learning(_ tokens: ArraySlice<Int32>) -> NGramModel {
    var model = self
    model.learn(tokens)
    return model
  }

  /// The λs that do best on a text the counts do not come from, one order after the other.
  func tuned(on tokens: ArraySlice<Int32>) -> NGramModel {
    var best = self
    var least = best.bitsPerToken(tokens)
    for _ in 0..<2 {
      for index in lambdas.indices {
        for lambda in [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] {
          var model = best
          model.lambdas[index] = lambda
          let bits = model.bitsPerToken(tokens)
          if bits < least { (best, least) = (model, bits) }
        }
      }
    }
    return best
  }

  /// The mean of −log₂ P over a text.
  func bitsPerToken(_ tokens: ArraySlice<Int32>) -> Double {
    var sum = 0.0
    for position in tokens.indices { sum -= naturalLogarithm(probability(tokens, position)) }
    return sum / Double(max(tokens.count, 1)) * 1.4426950408889634
  }

  private mutating func learn(_ tokens: ArraySlice<Int32>) {
    for position in tokens.indices {
      var context: UInt64 = 0
      for length in 0..<order {
        guard position - length >= tokens.startIndex else { break }
        if length > 0 { context = context * 256 + UInt64(tokens[position - length]) + 1 }
        counts[length][context * 256 + UInt64(tokens[position]), default: 0] += 1
        totals[length][context, default: 0] += 1
      }
    }
  }

  private func probability(_ tokens: ArraySlice<Int32>, _ position: Int) -> Double {
    var result = 1 / Double(letters)
    var context: UInt64 = 0
    for length in 0..<order {
      guard position - length >= tokens.startIndex else { break }
      if length > 0 { context = context * 256 + UInt64(tokens[position - length]) + 1 }
      let count = Double(counts[length][context * 256 + UInt64(tokens[position])] ?? 0)
      let total = Double(totals[length][context] ?? 0)
      result = (count + lambdas[length] * result) / (total + lambdas[length])
    }
    return result
  }
}
