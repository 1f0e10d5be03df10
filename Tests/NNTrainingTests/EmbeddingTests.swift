import Glibc
import NNGraph
import NNTraining
import Testing

@Suite struct EmbeddingTests {
  /// Samples (4 numbers each) around centres that are `distance` apart along axes of their own, by group.
  private func groups(_ count: Int = 90, distance: Float = 20) -> [Float] {
    var generator = Philox(seed: 12, stream: 3)
    var samples: [Float] = []
    for index in 0..<count {
      for axis in 0..<4 {
        samples.append((index % 3 == axis ? distance : 0) + Float(generator.normal()))
      }
    }
    return samples
  }

  @Test func affinitiesHaveThePerplexityAskedFor() throws {
    for perplexity in [2.0, 5, 25] {
      let affinities = try TSNE.conditionalAffinities(groups(), width: 4, perplexity: perplexity)
      for row in 0..<90 {
        let probabilities = affinities[row * 90..<(row + 1) * 90]
        #expect((probabilities.reduce(0, +) - 1).magnitude < 1e-12)
        #expect(probabilities[row * 90 + row] == 0)
        let entropy = probabilities.reduce(0.0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
        #expect((exp(entropy) / perplexity - 1).magnitude < 1e-6)
      }
    }
    // Nearer samples are more probable neighbours.
    let line = try TSNE.conditionalAffinities([0, 1, 2, 4, 8, 16, 32, 64], width: 1, perplexity: 2)
    for other in 2..<8 { #expect(line[other] < line[other - 1]) }
  }

  @Test func groupsStayApartAndTheDivergenceFalls() throws {
    let samples = groups()
    let options = TSNE.Options(perplexity: 10, iterations: 400, seed: 5)
    let embedding = try TSNE(samples, width: 4, options: options)
    #expect(embedding.coordinates.count == 180 && embedding.divergences.count == 8)
    #expect(embedding.divergences.allSatisfy { $0.isFinite && $0 >= 0 })
    #expect(try #require(embedding.divergences.last) < 0.5 * embedding.divergences[0])
    for axis in 0..<2 {
      let sum = stride(from: axis, to: 180, by: 2).reduce(Float(0)) { $0 + embedding.coordinates[$1] }
      #expect(sum.magnitude < 0.01)
    }
    // The nearest neighbours of each point are of its group.
    for point in 0..<90 {
      let distances = (0..<90).map { other in
        let across = embedding.coordinates[2 * point] - embedding.coordinates[2 * other]
        let up = embedding.coordinates[2 * point + 1] - embedding.coordinates[2 * other + 1]
        return across * across + up * up
      }
      let nearest = (0..<90).filter { $0 != point }.sorted { distances[$0] < distances[$1] }.prefix(20)
      #expect(nearest.allSatisfy { $0 % 3 == point % 3 })
    }
    #expect(try TSNE(samples, width: 4, options: options).coordinates == embedding.coordinates)
    let other = try TSNE(samples, width: 4, options: TSNE.Options(perplexity: 10, iterations: 400, seed: 6))
    #expect(other.coordinates != embedding.coordinates)
  }

  @Test func whatCannotBeEmbeddedIsRefused() throws {
    let samples = groups(30)
    for perplexity in [0.5, 10, 300, .nan] {
      let error = #expect(throws: NNError.self) {
        try TSNE(samples, width: 4, options: TSNE.Options(perplexity: perplexity))
      }
      #expect(error?.message.contains("perplexity") == true)
    }
    let options = TSNE.Options(perplexity: 3, iterations: 10)
    #expect(throws: NNError.self) { try TSNE(samples, width: 7, options: options) }
    #expect(throws: NNError.self) { try TSNE(samples, width: 0, options: options) }
    #expect(throws: NNError.self) { try TSNE([.nan] + samples.dropFirst(), width: 4, options: options) }
    #expect(throws: NNError.self) { try TSNE(samples, width: 4, options: TSNE.Options(iterations: 0)) }
    #expect(throws: NNError.self) {
      try TSNE([Float](repeating: 0, count: 10_001), width: 1, options: options)
    }
    // Samples that are all the same have no neighbourhoods, but nothing breaks.
    let same = try TSNE([Float](repeating: 1, count: 40), width: 4, options: options)
    #expect(same.coordinates.allSatisfy { $0.isFinite })
  }

  @Test func leadingComponentsAreThoseOfAllEigenvectors() throws {
    var generator = Philox(seed: 2, stream: 9)
    let mixing = (0..<36).map { _ in Float(generator.normal()) }
    var samples: [Float] = []
    for _ in 0..<50 {
      let hidden = (0..<6).map { Float(generator.normal()) * Float(6 - $0) }
      for column in 0..<6 {
        samples.append((0..<6).reduce(3) { $0 + hidden[$1] * mixing[$1 * 6 + column] })
      }
    }
    let all = try PCA(samples, width: 6, components: 6)
    let leading = try PCA.leading(samples, width: 6, components: 2)
    for index in 0..<2 {
      #expect((leading.variances[index] / all.variances[index] - 1).magnitude < 1e-8)
      for (a, b) in zip(leading.components[index], all.components[index]) {
        #expect((a - b).magnitude < 1e-6)
      }
    }
    #expect(leading.mean == all.mean)
    // More numbers than samples: the rest of the variances is zero.
    let wide = try PCA.leading(samples, width: 100, components: 3)
    let exact = try PCA(samples, width: 100, components: 3)
    for index in 0..<2 {
      #expect((wide.variances[index] / exact.variances[index] - 1).magnitude < 1e-6)
    }
    #expect(wide.variances[2].magnitude < 1e-6 * wide.variances[0])
    let constant = try PCA.leading([Float](repeating: 2, count: 20), width: 5, components: 2)
    #expect(constant.variances == [0, 0])
    #expect(try constant.transform([2, 2, 2, 2, 2]) == [0, 0])
    #expect(throws: NNError.self) { try PCA.leading(samples, width: 6, components: 7) }
    #expect(throws: NNError.self) { try PCA.leading([1, 2], width: 2, components: 1) }
  }
}
