import NNGraph

/// Which samples an epoch goes through. The order is drawn from the seed and the epoch.
public enum Sampling: Equatable, Sendable {
  /// Every sample once.
  case shuffled
  /// As many samples as there are, of each class equally many: small classes are repeated, large ones give another part of
  /// theirs in every epoch.
  case balanced
  /// Of each class as many samples as the largest one has, each of its samples as often as the others or once more.
  case oversampled
}

/// The samples of a training's epochs.
struct EpochSampling: Sendable {
  let sampling: Sampling
  /// Samples of an epoch.
  let count: Int
  /// The samples of each class, in the order of the classes; none if classes do not matter.
  private let groups: [[Int]]

  /// - Throws: ``ErrorCode/invalidArgument`` if there are no classes to balance; ``ErrorCode/limitExceeded``.
  init(_ sampling: Sampling, _ data: Dataset) throws(NNError) {
    self.sampling = sampling
    groups = sampling == .shuffled ? [] : try EpochSampling.groups(data)
    switch sampling {
    case .shuffled, .balanced: count = data.count
    case .oversampled:
      let largest = groups.map { $0.count }.max() ?? 0
      let (all, overflow) = groups.count.multipliedReportingOverflow(by: largest)
      guard !overflow, all <= 1 << 28 else {
        throw NNError(.limitExceeded, "\(groups.count) classes are too many to repeat the samples of each")
      }
      count = all
    }
  }

  private static func groups(_ data: Dataset) throws(NNError) -> [[Int]] {
    guard case .classes(let classes) = data.targets else {
      throw NNError(.invalidArgument, "only samples with one class each can be balanced")
    }
    var groups: [[Int]] = []
    for index in (0..<data.count).sorted(by: { (classes[$0], $0) < (classes[$1], $1) }) {
      if let last = groups.last?.last, classes[last] == classes[index] {
        groups[groups.count - 1].append(index)
      } else {
        groups.append([index])
      }
    }
    return groups
  }

  /// The samples of an epoch, in their order; it follows from the seed and the epoch alone, so a checkpoint need not keep it.
  func order(epoch: Int, seed: UInt64) -> [Int] {
    var generator = Philox(seed: seed, stream: Philox.stream(of: Name("epoch \(epoch)")))
    if groups.isEmpty { return (0..<count).shuffled(using: &generator) }
    // What does not divide goes to other classes in every epoch.
    let (share, rest) = (count / groups.count, count % groups.count)
    let favoured = Set((0..<groups.count).shuffled(using: &generator).prefix(rest))
    var order: [Int] = []
    for (index, group) in groups.enumerated() {
      var needed = share + (favoured.contains(index) ? 1 : 0)
      while needed > 0 {
        let part = group.shuffled(using: &generator).prefix(needed)
        order += part
        needed -= part.count
      }
    }
    return order.shuffled(using: &generator)
  }
}

extension Dataset {
  /// A weight for each class that makes all of them count alike: samples/(classes · samples of the class), as scikit-learn's
  /// "balanced". For ``SoftmaxCrossEntropy``.
  ///
  /// - Parameter classes: how many there are; as many as the targets name if nil. One without samples gets 0, and is not counted.
  /// - Throws: ``ErrorCode/invalidArgument`` if the targets are no classes, or lie outside of 0..<classes.
  public func classWeights(classes limit: Int? = nil) throws(NNError) -> [Float] {
    let all: [Int]
    switch targets {
    case .classes(let classes): all = classes
    case .positions(let classes, _): all = classes.filter { $0 != -1 }
    case .values: throw NNError(.invalidArgument, "targets that are numbers have no class weights")
    }
    guard let largest = all.max(), let least = all.min(), least >= 0, largest < limit ?? 1 << 24 else {
      throw NNError(
        .invalidArgument,
        "classes from \(all.min() ?? 0) to \(all.max() ?? 0) of \(limit ?? 0) have no weights")
    }
    var counts = [Int](repeating: 0, count: max(limit ?? 0, largest + 1))
    for label in all { counts[label] += 1 }
    let present = counts.count { $0 > 0 }
    return counts.map { $0 == 0 ? 0 : Float(Double(all.count) / (Double(present) * Double($0))) }
  }
}
