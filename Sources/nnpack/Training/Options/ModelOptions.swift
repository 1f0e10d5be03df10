import ArgumentParser
import NNDescription
import NNGraph

/// Which network is trained on data, and what it begins with.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      The network: a JSON file that lists its layers, or one of \(ModelPreset.allCases.map(\.rawValue).joined(separator: ", ")) \
      with sizes that follow from the data. Dense layers for features, cnn for images and gru for sequences unless told.
      """, valueName: "file|name"))
  var model: String?

  @Flag(help: "Print the network as JSON, to change it and give it to --model, and train nothing.")
  var showModel = false

  @Option(
    help: ArgumentHelp(
      "Units of the hidden dense layers of mlp and cnn: 64,32 unless told.", valueName: "n,n,…"))
  var hidden: UnitsArgument?

  @Option(
    parsing: .unconditional,
    help: "The probability of dropping a hidden unit in a named network: 0.1 unless told.") var dropout:
    Float?

  @Option(
    help: ArgumentHelp(
      "Begin with the weights of this .nnrt, .safetensors or .npz file that have the names and shapes of the network's.",
      valueName: "file"))
  var initFrom: String?

  @Flag(help: "The weights to begin with are those of PyTorch layers: transposed, and some named otherwise.")
  var pytorch = false

  @Option(
    help: ArgumentHelp(
      "Layers to leave as they are, by their names or those of what they are part of, as dense_1.",
      valueName: "name,…"))
  var freeze: [String] = []

  /// What was given, as it is called.
  var given: [String] {
    [
      ("--model", model != nil), ("--show-model", showModel), ("--hidden", hidden != nil),
      ("--dropout", dropout != nil), ("--init-from", initFrom != nil), ("--pytorch", pytorch),
      ("--freeze", !freeze.isEmpty),
    ].filter { $0.1 }.map { $0.0 }
  }

  /// The file of layers, if the network comes from one.
  var file: String? { isFile ? model : nil }

  private var isFile: Bool { model.map { $0.hasSuffix(".json") || $0.contains("/") } ?? false }

  func validate() throws {
    if let dropout, !(dropout >= 0 && dropout < 1) {
      throw ValidationError("--dropout takes a number in 0..<1")
    }
    if pytorch, initFrom == nil { throw ValidationError("--pytorch needs --init-from FILE") }
    if isFile, let option = hidden != nil ? "--hidden" : dropout != nil ? "--dropout" : nil {
      throw ValidationError("\(option) goes with named networks; a file says it itself")
    }
    if let model, !isFile {
      do throws(NNError) {
        _ = try ModelPreset.named(model)
      } catch {
        throw ValidationError("--model: \(error.message); a file of layers ends with .json")
      }
    }
  }

  /// The network for samples of a shape.
  func description(sampleShape: [Int]) throws(NNError) -> ModelDescription {
    if let model, isFile { return try ModelDescription(path: model) }
    let preset = try model.map { (name) throws(NNError) in try ModelPreset.named(name) }
    return try (preset ?? .suited(to: sampleShape)).description(
      sampleShape: sampleShape, hidden: hidden?.units ?? [64, 32], dropout: dropout ?? 0.1)
  }
}

/// Numbers of units with commas between; none for an empty text.
struct UnitsArgument: ExpressibleByArgument {
  let units: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: !argument.contains(","))
    let units = parts.compactMap { Int($0) }
    guard units.count == parts.count, units.count <= 64, units.allSatisfy({ (1...1 << 20).contains($0) })
    else { return nil }
    self.units = units
  }
}
