import NNGraph

/// What the samples of a data set are to be mapped to.
public enum Targets: Equatable, Sendable {
  /// One class index per sample, from 0.
  case classes([Int])
  /// A class index at each position of a sample, sample after sample, each of the given shape (without the batch);
  /// −1 where a position does not count.
  case positions([Int], shape: [Int])
  /// Numbers, sample after sample, each of the given shape (without the batch).
  case values([Float], shape: [Int])
}

/// Whether `count` is a·b, which may be too large to compute.
func isProduct(_ count: Int, _ a: Int, _ b: Int) -> Bool {
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  return !overflow && count == product
}

/// Samples in memory: features and targets.
///
/// ``CSVTable``, ``IDXFile`` and ``TextCorpus`` make data sets of files.
public struct Dataset: Sendable {
  /// Sample after sample, each row-major; empty if the samples are ``tokens``.
  public let features: [Float]
  /// Samples of indices, such as words of a text, sample after sample; empty if the samples are ``features``.
  public let tokens: [Int32]
  /// The shape of one sample, without the batch: (C, H, W) for images.
  public let sampleShape: [Int]
  public let targets: Targets
  /// How many samples there are.
  public let count: Int

  /// - Throws: ``ErrorCode/shapeMismatch`` if features and targets are not as many as the shapes ask for.
  public init(features: [Float], sampleShape: [Int], targets: Targets) throws(NNError) {
    try self.init(features: features, tokens: [], inputType: .f32, sampleShape: sampleShape, targets: targets)
  }

  /// Samples of indices, for models that take i64.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` if tokens and targets are not as many as the shapes ask for.
  public init(tokens: [Int32], sampleShape: [Int], targets: Targets) throws(NNError) {
    try self.init(features: [], tokens: tokens, inputType: .i64, sampleShape: sampleShape, targets: targets)
  }

  private init(
    features: [Float], tokens: [Int32], inputType: DType, sampleShape: [Int], targets: Targets
  ) throws(NNError) {
    let width = try Dataset.elementCount(sampleShape)
    let numbers = max(features.count, tokens.count)
    guard width > 0, numbers % width == 0 else {
      throw NNError(
        .shapeMismatch,
        "\(numbers) numbers do not divide into samples of shape \(Shape(sampleShape).description)")
    }
    count = numbers / width
    sampleSize = width
    switch targets {
    case .classes(let classes):
      targetSize = 1
      guard classes.count == count else {
        throw NNError(.shapeMismatch, "\(classes.count) class indices for \(count) samples")
      }
    case .positions(let classes, let shape):
      targetSize = try Dataset.elementCount(shape)
      guard isProduct(classes.count, count, targetSize) else {
        throw NNError(
          .shapeMismatch,
          "\(classes.count) class indices for \(count) samples with targets of shape \(Shape(shape).description)"
        )
      }
    case .values(let values, let shape):
      targetSize = try Dataset.elementCount(shape)
      guard isProduct(values.count, count, targetSize) else {
        throw NNError(
          .shapeMismatch,
          "\(values.count) target numbers for \(count) samples with targets of shape \(Shape(shape).description)"
        )
      }
    }
    self.features = features
    self.tokens = tokens
    self.inputType = inputType
    self.sampleShape = sampleShape
    self.targets = targets
  }

  /// `.f32` for ``features``, `.i64` for ``tokens``.
  public let inputType: DType

  /// Elements of one sample.
  public let sampleSize: Int
  /// Elements of one sample's target; 1 for a class.
  let targetSize: Int

  private static func elementCount(_ shape: [Int]) throws(NNError) -> Int {
    try Shape(shape).validate()
    return Shape(shape).elementCount ?? 0
  }

  /// The samples at the given indices, in their order.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for an index out of range.
  public func selecting(_ indices: [Int]) throws(NNError) -> Dataset {
    for index in indices where index < 0 || index >= count {
      throw NNError(.invalidArgument, "sample \(index) of \(count)")
    }
    func rows<Element>(_ all: [Element], _ width: Int) -> [Element] {
      guard !all.isEmpty else { return [] }
      var chosen: [Element] = []
      chosen.reserveCapacity(indices.count * width)
      for index in indices { chosen += all[index * width..<(index + 1) * width] }
      return chosen
    }
    let chosen: Targets =
      switch targets {
      case .classes(let classes): .classes(rows(classes, 1))
      case .positions(let classes, let shape): .positions(rows(classes, targetSize), shape: shape)
      case .values(let values, let shape): .values(rows(values, targetSize), shape: shape)
      }
    return try Dataset(
      features: rows(features, sampleSize), tokens: rows(tokens, sampleSize), inputType: inputType,
      sampleShape: sampleShape, targets: chosen)
  }

  /// The samples in two parts that have none in common, drawn with a seed.
  ///
  /// - Parameters:
  ///   - fraction: the part of the samples that goes into `held`, 0…1.
  ///   - stratified: whether each class is split by itself, so that both parts have the same proportions; class targets only.
  /// - Throws: ``ErrorCode/invalidArgument`` for a fraction out of range, or for stratifying without classes.
  public func split(
    fraction: Double, seed: UInt64, stratified: Bool = false
  ) throws(NNError) -> (rest: Dataset, held: Dataset) {
    let indices = try splitIndices(fraction: fraction, seed: seed, stratified: stratified)
    return (try selecting(indices.rest), try selecting(indices.held))
  }

  /// Which samples ``split(fraction:seed:stratified:)`` puts into which part, each in ascending order.
  public func splitIndices(
    fraction: Double, seed: UInt64, stratified: Bool = false
  ) throws(NNError) -> (rest: [Int], held: [Int]) {
    guard fraction >= 0, fraction <= 1 else { throw NNError(.invalidArgument, "a fraction of \(fraction)") }
    var groups: [[Int]] = [Array(0..<count)]
    if stratified {
      guard case .classes(let classes) = targets else {
        throw NNError(.invalidArgument, "only class targets can be split class by class")
      }
      // Classes may be any numbers, so they are grouped by sorting instead of by a table.
      let order = (0..<count).sorted { (classes[$0], $0) < (classes[$1], $1) }
      groups = []
      for index in order {
        if let last = groups.last?.first, classes[last] == classes[index] {
          groups[groups.count - 1].append(index)
        } else {
          groups.append([index])
        }
      }
    }
    var generator = Philox(seed: seed, stream: Philox.stream(of: "split"))
    var rest: [Int] = []
    var held: [Int] = []
    for group in groups {
      let shuffled = group.shuffled(using: &generator)
      let size = Int((Double(group.count) * fraction).rounded())
      held += shuffled.prefix(size)
      rest += shuffled.dropFirst(size)
    }
    return (rest.sorted(), held.sorted())
  }

  /// Throws unless the targets are of the kind and of the shape that a model is trained against.
  func require(_ kind: TargetKind, targetShape expected: [Int]) throws(NNError) {
    func requireShape(_ shape: [Int]) throws(NNError) {
      guard shape == expected else {
        throw NNError(
          .shapeMismatch,
          "targets have shape \(Shape(shape).description) each, the model is trained against \(Shape(expected).description)"
        )
      }
    }
    switch (kind, targets) {
    case (.classes, .classes): try requireShape([])
    case (.classes, .positions(_, let shape)), (.values, .values(_, let shape)): try requireShape(shape)
    case (.classes, .values):
      throw NNError(.dtypeMismatch, "the loss takes class indices, the data has numbers as targets")
    case (.values, .classes), (.values, .positions):
      throw NNError(.dtypeMismatch, "the loss takes numbers as targets, the data has class indices")
    }
  }

  /// Throws unless every class is one of a model that has `limit` of them, or an unknown number.
  func requireClasses(below limit: Int?) throws(NNError) {
    for sample in 0..<count { try requireClasses(of: sample, below: limit) }
  }

  /// The same for one sample; allocates nothing.
  func requireClasses(of sample: Int, below limit: Int?) throws(NNError) {
    switch targets {
    case .classes(let classes): try requireClass(classes[sample], of: sample, least: 0, limit)
    case .positions(let classes, _):
      var place = sample * targetSize
      let end = place + targetSize
      while place < end {
        try requireClass(classes[place], of: sample, least: -1, limit)
        place += 1
      }
    case .values: return
    }
  }

  private func requireClass(_ value: Int, of sample: Int, least: Int, _ limit: Int?) throws(NNError) {
    guard value >= least, value < limit ?? Int.max else {
      let outputs = limit.map { ", but the model has \($0) outputs" } ?? ""
      throw NNError(.indexOutOfRange, "sample \(sample) has class \(value)" + outputs)
    }
  }
}

// Copying samples into the memory a plan reads. These run in every step and allocate nothing, not even in unoptimised
// builds, whose iterators would: hence the loops counted by hand.
extension Dataset {
  func copyFeatures(_ indices: ArraySlice<Int>, into memory: UnsafeMutableRawBufferPointer) {
    if inputType == .i64 { return copyTokens(indices, into: memory) }
    let size = sampleSize * 4
    features.withUnsafeBytes { Dataset.copy($0, size, indices, into: memory) }
  }

  private func copyTokens(_ indices: ArraySlice<Int>, into memory: UnsafeMutableRawBufferPointer) {
    let target = memory.assumingMemoryBound(to: Int64.self)
    var position = 0
    while position < indices.count {
      let from = indices[indices.startIndex + position] * sampleSize
      var offset = 0
      while offset < sampleSize {
        target[position * sampleSize + offset] = Int64(tokens[from + offset])
        offset += 1
      }
      position += 1
    }
  }

  func copyTargets(_ indices: ArraySlice<Int>, into memory: UnsafeMutableRawBufferPointer) {
    switch targets {
    case .classes(let classes):
      let target = memory.assumingMemoryBound(to: Int64.self)
      var position = 0
      while position < indices.count {
        target[position] = Int64(classes[indices[indices.startIndex + position]])
        position += 1
      }
    case .positions(let classes, _):
      let target = memory.assumingMemoryBound(to: Int64.self)
      var position = 0
      while position < indices.count {
        let from = indices[indices.startIndex + position] * targetSize
        var offset = 0
        while offset < targetSize {
          target[position * targetSize + offset] = Int64(classes[from + offset])
          offset += 1
        }
        position += 1
      }
    case .values(let values, _):
      let size = targetSize * 4
      values.withUnsafeBytes { Dataset.copy($0, size, indices, into: memory) }
    }
  }

  /// Rows of `size` bytes; `memory` has room for all of them.
  private static func copy(
    _ source: UnsafeRawBufferPointer, _ size: Int, _ indices: ArraySlice<Int>,
    into memory: UnsafeMutableRawBufferPointer
  ) {
    guard let from = source.baseAddress, let to = memory.baseAddress else { return }
    var position = 0
    while position < indices.count {
      let row = indices[indices.startIndex + position]
      (to + position * size).copyMemory(from: from + row * size, byteCount: size)
      position += 1
    }
  }
}
