import NNFormat
import NNGraph

/// What must be the same for a resumed training to end in the same bits. The number of epochs may grow.
struct TrainingFingerprint: Equatable {
  private static let network = "network"

  /// What each thing is called, and how it is.
  private let entries: [(name: String, value: String)]

  init(_ entries: [(name: String, value: String)], network: UInt32) {
    self.entries = entries + [(TrainingFingerprint.network, String(network, radix: 16))]
  }

  /// What ``text`` gave.
  init(text: String) {
    entries = text.split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }

  var text: String { entries.map { "\($0.name)\t\($0.value)" }.joined(separator: "\n") }

  static func == (a: TrainingFingerprint, b: TrainingFingerprint) -> Bool { a.text == b.text }

  /// What is not as it was when a checkpoint was written; nil if all is.
  func difference(from recorded: TrainingFingerprint) -> String? {
    if self == recorded { return nil }
    var differences: [String] = []
    for (name, value) in entries where name != TrainingFingerprint.network {
      guard let other = recorded[name], other != value else { continue }
      func shown(_ text: String) -> String { text.isEmpty ? "none" : text }
      differences.append("the \(name) was \(shown(other)) and is \(shown(value))")
    }
    // Other samples or batches make another graph too.
    return differences.isEmpty ? "the network is another one" : differences.joined(separator: "; ")
  }

  private subscript(name: String) -> String? { entries.first { $0.name == name }?.value }
}

extension Trainer {
  func fingerprint(_ settings: FitSettings) throws(NNError) -> TrainingFingerprint {
    if let known = settings.fingerprint { return known }
    let kind = settings.stepKinds[0]
    let network = try trainingStep(batch: kind.size, kind.accumulation, settings).network
    let validation = settings.validation.map { $0.summary } ?? ""
    let callbacks = settings.callbacks.map { $0.settings }.filter { !$0.isEmpty }
    return TrainingFingerprint(
      [
        ("optimiser", recipe.optimizer.description),
        ("learning rate", "\(recipe.optimizer.learningRate)"),
        ("choice of parameters", recipe.groups.map { $0.description }.joined(separator: ", ")),
        ("loss", "\(recipe.loss)"),
        ("clipping", "\(recipe.clipping)"),
        ("seed", "\(seed)"),
        ("batch size", "\(settings.batchSize)\(settings.dropsLastBatch ? " without the last" : "")"),
        ("number of batches to an update", "\(settings.accumulating)"),
        ("data to train on", settings.data.summary),
        ("data to stop by", validation),
        ("choice of metrics", recipe.metrics.map { $0.name }.joined(separator: ", ")),
        ("choice of samples", "\(settings.sampling.sampling)"),
        ("augmentation", settings.augmentation.map { "\($0)" }.joined(separator: ", ")),
        ("schedule", callbacks.joined(separator: ", ")),
      ], network: network)
  }
}

extension Dataset {
  /// How many samples there are, of which shape, and a checksum of all of them with their targets.
  fileprivate var summary: String {
    var sums = [
      features.withUnsafeBytes { CRC32C().checksum($0) }, tokens.withUnsafeBytes { CRC32C().checksum($0) },
    ]
    switch targets {
    case .classes(let classes), .positions(let classes, _):
      sums.append(classes.withUnsafeBytes { CRC32C().checksum($0) })
    case .values(let values, _): sums.append(values.withUnsafeBytes { CRC32C().checksum($0) })
    }
    let checksum = sums.withUnsafeBytes { CRC32C().checksum($0) }
    return
      "\(count) samples of shape \(Shape(sampleShape).description) with checksum \(String(checksum, radix: 16))"
  }
}

extension Graph {
  /// A checksum of inputs, constants and nodes with all that is said about them.
  var checksum: UInt32 {
    var text = ""
    for value in values {
      text += "\(value.name.string) \(value.type.dtype.name) \(value.type.shape.description)"
      if let constant = value.constant { text += " \(CRC32C().checksum(constant.bytes))" }
      text += "\n"
    }
    for node in nodes {
      text += "\(node.op) \(node.inputs.map { $0.index }) \(node.outputs.map { $0.index })\n"
    }
    return Array(text.utf8).withUnsafeBytes { CRC32C().checksum($0) }
  }
}
