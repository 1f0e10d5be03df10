import ArgumentParser
import Files
import NNTraining

/// Which data a network is trained on, and what of them.
struct DataOptions: ParsableArguments {
  /// What is to be told from a sample.
  enum Kind: EnumerableFlag {
    case classification, regression

    static func help(for value: Kind) -> ArgumentHelp? {
      switch value {
      case .classification: "Tell classes, also where targets are numbers."
      case .regression: "Tell numbers, also where targets are few whole ones."
      }
    }
  }

  @Argument(
    help: ArgumentHelp(
      "A CSV file with a header, to train on its rows; a .npz file with arrays x and y, a sample a row; or a folder "
        + "with a folder of PNG and JPEG images for each class.",
      valueName: "data"))
  var source: String?

  @Option(help: ArgumentHelp("The column of the table to predict.", valueName: "column")) var target: String?

  @Option(
    help: ArgumentHelp("The columns to predict it from; all others unless told.", valueName: "column,…"))
  var features: [String] = []

  @Option(help: ArgumentHelp("Columns to leave out.", valueName: "column,…")) var ignore: [String] = []

  @Option(help: ArgumentHelp("Columns of numbers that stand for categories.", valueName: "column,…"))
  var categorical: [String] = []

  @Option(
    help: ArgumentHelp(
      "What stands between the fields; tab for a tab, as in .tsv files.", valueName: "character"))
  var separator: FieldSeparator?

  @Option(
    parsing: .unconditional,
    help:
      "What a missing field becomes: error, drop (the row is left out), mean, median, frequent (each of the rows to train on) or a number."
  )
  var missing: MissingArgument?

  @Option(help: ArgumentHelp("IDX file of images, 0 to 255.", valueName: "file")) var images: String?

  @Option(help: ArgumentHelp("IDX file of the images' classes.", valueName: "file")) var labels: String?

  @Option(
    help: ArgumentHelp(
      "The size that the images of a folder get, as 32 or 32x48, rows by columns.", valueName: "size"))
  var size: SizeArgument?

  @Option(
    help: ArgumentHelp(
      "Random changes of images while training, new in every epoch, some of: \(AugmentationList.help).",
      valueName: "change,…"))
  var augment: AugmentationList?

  @Flag(exclusivity: .exclusive) var kind: Kind?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The part of the samples that is held out: 0.2 unless told.", valueName: "part"))
  var holdOut: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The part of the others that says when to stop and is not trained on: 0.1 unless told.",
      valueName: "part"))
  var validation: Double?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether features are brought to mean 0 and variance 1; they are unless told.")
  var standardize: Bool?

  var hasSource: Bool { source != nil || images != nil || labels != nil }

  /// What was given, as it is called.
  var given: [String] {
    [
      ("a file of data", source != nil), ("--target", target != nil), ("--features", !features.isEmpty),
      ("--ignore", !ignore.isEmpty), ("--categorical", !categorical.isEmpty),
      ("--separator", separator != nil), ("--missing", missing != nil), ("--images", images != nil),
      ("--labels", labels != nil), ("--size", size != nil), ("--augment", augment != nil),
      ("--classification", kind == .classification),
      ("--regression", kind == .regression), ("--hold-out", holdOut != nil),
      ("--validation", validation != nil), ("--standardize", standardize == true),
      ("--no-standardize", standardize == false),
    ].filter { $0.1 }.map { $0.0 }
  }

  func validate() throws {
    for (name, part) in [("--hold-out", holdOut), ("--validation", validation)] {
      if let part, !(part >= 0 && part < 1) { throw ValidationError("\(name) takes a number in 0..<1") }
    }
  }

  /// Refuses what does not belong together.
  func requireWhole() throws {
    guard source == nil || images == nil && labels == nil else {
      throw ValidationError("give one of: a file of data, --images with --labels, --example")
    }
    guard (images == nil) == (labels == nil) else {
      throw ValidationError("--images and --labels belong together")
    }
    // A name without an extension, or with a slash behind it, is meant to be a folder.
    if let source, isTable,
      source.hasSuffix("/") || source.fileStem == source.split(separator: "/").last ?? "",
      !WholeFile.exists(source)
    {
      throw ValidationError("\(source): No such file or directory")
    }
    let ofTables = ["--target", "--features", "--ignore", "--categorical", "--separator", "--missing"]
    if isTable {
      if target == nil { throw ValidationError("--target COLUMN says what to predict") }
    } else if let first = given.first(where: { ofTables.contains($0) }) {
      throw ValidationError("\(first) goes with a CSV file only")
    }
    if size != nil, !isFolder { throw ValidationError("--size goes with a folder of images only") }
    if augment != nil, isTable { throw ValidationError("--augment goes with images only") }
  }

  var isArrays: Bool { source?.lowercased().hasSuffix(".npz") ?? false }
  var isFolder: Bool { source.map { WholeFile.isFolder($0) } ?? false }
  private var isTable: Bool { source != nil && !isArrays && !isFolder }

  /// The names in options that may be given several times, each with commas between.
  static func names(_ options: [String]) -> [String] {
    options.flatMap { $0.split(separator: ",") }.map { String($0) }
  }
}

/// What missing fields become, by its name.
struct MissingArgument: ExpressibleByArgument {
  let values: MissingValues

  init?(argument: String) {
    switch argument {
    case "error": values = .error
    case "drop": values = .dropRow
    case "mean": values = .mean
    case "median": values = .median
    case "frequent": values = .mostFrequent
    default:
      guard let number = Float(argument), number.isFinite else { return nil }
      values = .constant(number)
    }
  }
}
