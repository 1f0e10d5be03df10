import ArgumentParser
import NNGraph
import NNTraining

/// What is to be learnt from which samples.
struct LearningTask {
  /// Their targets are classes or values.
  var samples: Dataset
  /// What each class is called; empty for values.
  var classNames: [String]
  /// What a sample is, for people.
  var input: String
  /// What a target is, for people; nil for classes.
  var output: String?
  /// How the columns of a table became features.
  var encoding: TableEncoding?
  /// The parts of the samples, where they had to be known to make them; nil for ``PreparedData`` to choose.
  var parts: SampleParts?
  /// What was left out of the data.
  var notes: [String] = []

  /// nil if numbers are to be told.
  var classCount: Int? { classNames.isEmpty ? nil : classNames.count }

  /// The numbers that a target of values has.
  var valueCount: Int {
    if case .values(_, let shape) = samples.targets { return shape.reduce(1, *) }
    return 1
  }
}

// Where tasks come from
extension LearningTask {
  /// Reads what the options say.
  ///
  /// - Parameter seed: what the parts of the samples are drawn from: those to train on say what fills gaps, and which categories there
  ///   are.
  init(_ options: DataOptions, seed: UInt64) throws {
    if let images = options.images, let labels = options.labels {
      try self.init(images: images, labels: labels)
    } else if options.isArrays, let source = options.source {
      try self.init(arrays: source, options.kind)
    } else if options.isFolder, let source = options.source {
      try self.init(folder: source, size: options.size?.size)
    } else {
      try self.init(table: options.source ?? "", options, seed: seed)
    }
    // Names are lines of tables and of the file's list of them.
    classNames = classNames.map { $0.onOneLine }
    input = input.onOneLine
    if options.kind == .regression, classCount != nil {
      throw ValidationError("--regression needs targets that are numbers")
    }
    if options.kind == .classification, classCount == nil {
      throw ValidationError("--classification needs one class for each sample")
    }
  }

  /// The rows of a CSV file.
  private init(table path: String, _ options: DataOptions, seed: UInt64) throws {
    let table = try CSVTable(path: path, separator: options.separator?.character)
    let target = options.target ?? ""
    let ignored = DataOptions.names(options.ignore)
    for name in ignored { _ = try table.column(name) }
    var features: [String]?
    if !options.features.isEmpty {
      features = DataOptions.names(options.features).filter { !ignored.contains($0) }
    } else if !ignored.isEmpty {
      features = table.header.filter { $0 != target && !ignored.contains($0) }
    }
    let kind: TabularData.Target =
      switch options.kind {
      case nil: .automatic
      case .classification: .classes
      case .regression: .values
      }
    func read(fittedOn rows: [Int]?) throws(NNError) -> TabularData {
      try table.samples(
        target: target, as: kind, features: features, categorical: DataOptions.names(options.categorical),
        missing: options.missing?.values ?? .error, fittedOn: rows)
    }
    let all = try read(fittedOn: nil)
    let parts = try SampleParts(all.dataset, options, seed: seed)
    let samples = parts.training.count == all.dataset.count ? all : try read(fittedOn: parts.training)
    self.init(
      samples: samples.dataset, classNames: samples.classNames,
      input: samples.featureNames.joined(separator: ", "), output: samples.classNames.isEmpty ? target : nil,
      encoding: samples.encoding, parts: parts)
  }

  /// Images and labels of an IDX pair.
  private init(images: String, labels: String) throws(NNError) {
    let data = try IDXFile.dataset(images: images, labels: labels)
    guard case .classes(let classes) = data.targets, let last = classes.max() else {
      throw NNError(.invalidArgument, "\(labels): no labels")
    }
    try LearningTask.requireSeveral(classes, labels)
    let shape = data.sampleShape.map { "\($0)" }.joined(separator: "×")
    self.init(
      samples: data, classNames: (0...last).map { "\($0)" },
      input: "an image (channel, row, column) of \(shape) pixels, 0 to 255")
  }

  /// A folder of images for each class.
  private init(folder path: String, size: Extent2D?) throws(NNError) {
    let folder = try ImageFolder(path: path, size: size)
    guard folder.classNames.count >= 2 else {
      throw NNError(.invalidArgument, "\(path): there is one class only, \(folder.classNames.joined())")
    }
    let shape = folder.dataset.sampleShape.map { "\($0)" }.joined(separator: "×")
    self.init(
      samples: folder.dataset, classNames: folder.classNames,
      input: "an image (channel, row, column) of \(shape) pixels, 0 to 255",
      notes: folder.skipped == 0
        ? []
        : [
          "\(path): \(folder.skipped) file\(folder.skipped == 1 ? " is" : "s are") no .png, .jpg or .jpeg "
            + "in a class's folder and left out"
        ])
  }

  /// The arrays x and y of a .npz file: a row each for each sample.
  private init(arrays path: String, _ kind: DataOptions.Kind?) throws(NNError) {
    let data = try Dataset(npz: path)
    let targets: Targets
    switch data.targets {
    case .classes(let classes):
      targets = kind == .regression ? .values(classes.map { Float($0) }, shape: [1]) : .classes(classes)
    case .positions(let classes, let shape) where shape.reduce(1, *) == 1 && kind != .regression:
      targets = .classes(classes)
    case .positions(let classes, let shape):
      targets = .values(classes.map { Float($0) }, shape: [shape.reduce(1, *)])
    case .values(let values, let shape):
      if kind == .classification {
        targets = .classes(try LearningTask.classes(values, shape, path))
      } else {
        targets = .values(values, shape: [shape.reduce(1, *)])
      }
    }
    var names: [String] = []
    if case .classes(let classes) = targets {
      guard let last = classes.max(), let first = classes.min(), first >= 0, last < 1 << 16 else {
        throw NNError(
          .invalidArgument,
          "\(path): y has classes from \(classes.min() ?? 0) to \(classes.max() ?? 0), not from 0 to 65535; --regression takes "
            + "them as numbers")
      }
      try LearningTask.requireSeveral(classes, path)
      names = (0...last).map { "\($0)" }
    }
    if let place = data.features.firstIndex(where: { !$0.isFinite }) {
      throw NNError(.invalidArgument, "\(path): element \(place) of x is not finite")
    }
    if case .values(let values, _) = targets, let place = values.firstIndex(where: { !$0.isFinite }) {
      throw NNError(.invalidArgument, "\(path): element \(place) of y is not finite")
    }
    let text = data.sampleShape.map { "\($0)" }.joined(separator: "×")
    self.init(
      samples: try Dataset(features: data.features, sampleShape: data.sampleShape, targets: targets),
      classNames: names, input: "\(text) number\(text == "1" ? "" : "s")", output: names.isEmpty ? "y" : nil)
  }

  /// Throws if there is nothing to tell apart.
  private static func requireSeveral(_ classes: [Int], _ path: String) throws(NNError) {
    if let only = classes.first, classes.allSatisfy({ $0 == only }) {
      throw NNError(.invalidArgument, "\(path): there is one class only, \(only)")
    }
  }

  /// Fractions that are whole as classes.
  private static func classes(_ values: [Float], _ shape: [Int], _ path: String) throws(NNError) -> [Int] {
    guard shape.reduce(1, *) == 1 else {
      throw NNError(.shapeMismatch, "\(path): classes need one number of y for each sample")
    }
    var classes: [Int] = []
    for (place, value) in values.enumerated() {
      guard let whole = Int(exactly: value) else {
        throw NNError(.invalidArgument, "\(path): element \(place) of y is \(value), no class")
      }
      classes.append(whole)
    }
    return classes
  }
}
