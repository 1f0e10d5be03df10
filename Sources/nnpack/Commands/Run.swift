import ArgumentParser
import NNFormat
import NNGraph
import NNRuntime
import NNTraining
import Files
import NumPyFiles

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a .nnrt file on .npy arrays, or on the rows of a CSV file.",
    discussion: """
      Arrays of another type than the model takes are converted where no number can be lost but the last digits of a \
      fraction. A free dimension such as the batch N takes the extent that the array has.

      A model that was trained on a CSV file takes others with the same columns, in any order; the column that it predicts \
      may be left out. Their fields become numbers as those of the training did.

      EXAMPLE:
        nnpack run digits.nnrt --input pixels.npy --output probabilities.npy --top 3
        nnpack run wine.nnrt --input new-wines.csv --top 1
        nnpack run two-inputs.nnrt --input left=a.npy --input right=b.npy --output-dir results
      """)

  @Argument(help: "The .nnrt file.") var file: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "An input array, or a CSV file; once for each input, in the model's order or by name.",
      valueName: "[name=]file.npy"))
  var input: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where to write an output; once for each one wanted.", valueName: "[name=]file.npy"))
  var output: [String] = []

  @Option(help: ArgumentHelp("Write every output to this folder as NAME.npy.", valueName: "folder"))
  var outputDir: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Print the K largest elements of each row of the first output, with labels.", valueName: "K"))
  var top: Int?

  @Option(
    help: ArgumentHelp(
      "What stands between the fields of a CSV file; tab for a tab, as in .tsv files.", valueName: "character"
    ))
  var separator: FieldSeparator?

  @OptionGroup var execution: ExecutionOptions

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top takes a number of at least 1") }
  }

  func run() throws {
    let model = try Model.open(path: file)
    let session = try Session(model, options: execution.session)
    let graph = model.graph
    let inputs = try assign(input, to: graph.inputs.map { graph[$0].name }, role: "input")
    let outputs = try assign(output, to: graph.outputs.map { graph[$0].name }, role: "output")
    let paths = try outputPaths(outputs, graph, reading: inputs)
    var table = Table(["", "name", "type", "shape", "file", "min", "max", "mean"], alignments: columns)
    for (index, id) in graph.inputs.enumerated() {
      guard let path = inputs[index] else {
        throw NNError(
          .invalidArgument,
          "input \(graph[id].name.quoted) is missing; give --input \(graph[id].name.string)=FILE.npy")
      }
      let tensor = try InputConversion.convert(
        try read(path, for: model), to: graph[id].type.dtype, path: path)
      try session.setInput(index, tensor)
      table.append(row("input", graph[id].name, Array(tensor.extents), tensor.dtype, tensor.bytes, path))
    }
    let start = ContinuousClock.now
    try session.run()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    for (index, id) in graph.outputs.enumerated() {
      let view = try session.output(index)
      let path = paths[index]
      if let path {
        try NPYFile.write(dtype: view.dtype, extents: Array(view.extents), bytes: view.bytes, to: path)
      }
      table.append(
        row("output", graph[id].name, Array(view.extents), view.dtype, view.bytes, path ?? "(not written)"))
    }
    print(table.text)
    print("  run in \((seconds * 1e3).significant(3)) ms")
    if let top {
      try printTop(top, of: try session.output(0), labels: model.metadata.labels.map { $0.string })
    }
  }

  /// The array of a file, or the rows of a table as the model takes them.
  private func read(_ path: String, for model: Model) throws(NNError) -> Tensor {
    guard [".csv", ".tsv", ".tab"].contains(where: { path.lowercased().hasSuffix($0) }) else {
      return try NPYFile.read(path: path)
    }
    guard let text = model.metadata[TableEncoding.metadataKey] else {
      throw NNError(.invalidArgument, "\(path): the model takes arrays: it was not trained on a table")
    }
    let encoding = try TableEncoding(json: text.string)
    let table = try CSVTable(path: path, separator: separator?.character)
    return try Tensor(
      try table.features(as: encoding), extents: [table.rows.count, encoding.featureNames.count])
  }

  private var columns: [Table.Alignment] { [.left, .left, .left, .left, .left, .right, .right, .right] }

  private func row(
    _ role: String, _ name: Name, _ extents: [Int], _ dtype: DType, _ bytes: UnsafeRawBufferPointer,
    _ path: String
  ) -> [String] {
    var numbers = ["", "", ""]
    if dtype == .f32, !bytes.isEmpty {
      let values = bytes.bindMemory(to: Float.self)
      let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
      // What is no number is neither less nor more than others: one makes all three nan.
      let hasNaN = values.contains { $0.isNaN }
      let (least, most) = hasNaN ? (Float.nan, Float.nan) : (values.min() ?? .nan, values.max() ?? .nan)
      numbers = [Double(least), Double(most), hasNaN ? .nan : mean].map { $0.significant(4) }
    }
    return [role, name.string, "\(dtype.name)", Shape(extents).description, path] + numbers
  }

  /// Where each output is written; nil for nowhere. Makes the folder of --output-dir.
  ///
  /// - Throws: if a file could not be written, or would be written over what is read or another output.
  private func outputPaths(_ given: [String?], _ graph: Graph, reading inputs: [String?]) throws(NNError)
    -> [String?]
  {
    var files = FileRoles()
    files.reads(file, as: "the model")
    for (id, path) in zip(graph.inputs, inputs) {
      if let path { files.reads(path, as: "input \(graph[id].name.quoted)") }
    }
    let paths = zip(graph.outputs, given).map { id, path in path ?? defaultPath(graph[id].name) }
    for (id, path) in zip(graph.outputs, paths) {
      if let path { try files.writes(path, as: "output \(graph[id].name.quoted)") }
    }
    if let outputDir { try WholeFile.makeFolder(outputDir) }
    for path in paths { if let path { try ModelOutput.requireWritable(path, as: "--output") } }
    return paths
  }

  private func defaultPath(_ name: Name) -> String? {
    guard let outputDir else { return nil }
    // A name comes from the model's file: it must not lead out of the folder.
    let safe = String(name.string.map { $0 == "/" || $0 == "\0" ? "_" : $0 })
    return outputDir + "/" + (safe == "." || safe == ".." ? "_" : safe) + ".npy"
  }

  /// Files for names: `name=file` where the name is one of `names`, else the next name that has none.
  private func assign(_ arguments: [String], to names: [Name], role: String) throws -> [String?] {
    var files = [String?](repeating: nil, count: names.count)
    var unnamed: [String] = []
    for argument in arguments {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, let index = names.firstIndex(of: Name(String(parts[0]))) {
        guard files[index] == nil else { throw ValidationError("\(role) \"\(parts[0])\" is given twice") }
        files[index] = String(parts[1])
      } else {
        unnamed.append(argument)
      }
    }
    for file in unnamed {
      guard let index = files.firstIndex(where: { $0 == nil }) else {
        let list = names.map { $0.quoted }.joined(separator: ", ")
        throw ValidationError("too many \(role)s: the model has \(list)")
      }
      files[index] = file
    }
    return files
  }

  private func printTop(_ count: Int, of view: TensorView, labels: [String]) throws(NNError) {
    let extents = Array(view.extents)
    guard view.dtype == .f32, let columns = extents.last else {
      throw NNError(.invalidArgument, "--top needs an f32 output with at least one axis")
    }
    guard columns > 0 else { return }
    let values = view.bytes.bindMemory(to: Float.self)
    for row in 0..<values.count / columns {
      let scores = values[row * columns..<(row + 1) * columns]
      // What is no number comes last.
      let best = scores.indices.sorted { a, b in
        let (first, second) = (scores[a], scores[b])
        if first.isNaN || second.isNaN { return first.isNaN == second.isNaN ? a < b : second.isNaN }
        return first == second ? a < b : first > second
      }.prefix(count)
      let texts = best.map { index -> String in
        let column = index - row * columns
        // A single number for two classes is the second's.
        let label =
          labels.count == columns
          ? labels[column] : columns == 1 && labels.count == 2 ? labels[1] : "\(column)"
        return "\(label) \(Double(scores[index]).fixed(4))"
      }
      print("  row \(row): " + texts.joined(separator: ", "))
    }
  }
}
