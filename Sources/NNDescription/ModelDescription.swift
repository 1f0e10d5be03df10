import Files
import JSONFiles
import NNGraph
import NNTraining

/// A model as a JSON document says it.
///
/// ```json
/// {
///   "layers": [
///     {"type": "conv2d", "filters": 32, "kernel": 3, "padding": "same", "activation": "relu"},
///     {"type": "batch_norm"},
///     {"type": "residual", "body": [{"type": "conv2d", "filters": 32, "kernel": 3, "padding": "same"}]},
///     {"type": "global_average_pool2d"},
///     {"type": "dense", "units": 10}
///   ]
/// }
/// ```
///
/// Each layer is an object whose `type` is one of ``layerTypes`` and whose other keys are what the layer of that name takes, in
/// snake case: `kernel`, `stride`, `padding` (`"valid"`, `"same"` or numbers of zeros), `activation`, `bias`, `initializer`. Numbers
/// for images stand for both axes, or are arrays of height and width. A key that a layer does not have is an error.
///
/// `"output"` says what follows the layers. With `"automatic"`, which it is unless told, a dense layer as wide as the task asks
/// for, after everything was flattened; but nothing if the last layer is dense without an activation: that one is the
/// output then. With `"none"` nothing is added. What the width must be is for ``requireOutput(_:of:)`` to check.
public struct ModelDescription: Sendable {
  /// What messages call the description: the path of its file.
  public let name: String
  /// What the document says about itself under `"description"`, for people.
  public let about: String?
  public let layers: [any Layer]
  /// Whether ``model(outputs:)`` ends with a dense layer that the description does not have.
  public let addsOutputLayer: Bool
  /// The document.
  public let json: JSONValue

  /// The types of layers that a description may have.
  public static var layerTypes: [String] { LayerKind.all.map { $0.type } }

  /// Reads a file.
  ///
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/corruptFile`` for what is no JSON; ``ErrorCode/invalidArgument`` and
  ///   ``ErrorCode/limitExceeded`` for what is no model, naming the file and the place in it, as `layers[2].kernel`.
  public init(path: String) throws(NNError) {
    let bytes = try WholeFile.read(path) { (bytes) throws(NNError) in
      guard bytes.count <= 1 << 24 else {
        throw NNError(.limitExceeded, "\(bytes.count) bytes are too many for the description of a model")
      }
      return Array(bytes)
    }
    try self.init(bytes: bytes, name: path)
  }

  /// Reads a text.
  ///
  /// - Parameter name: what messages call it.
  /// - Throws: as ``init(path:)``.
  public init(text: String, name: String = "model") throws(NNError) {
    try self.init(bytes: Array(text.utf8), name: name)
  }

  private init(bytes: [UInt8], name: String) throws(NNError) {
    let json: JSONValue
    do throws(NNError) {
      json = try JSONParser.parse(bytes)
    } catch {
      throw NNError(error.code, "\(name):\(error.message)")
    }
    do throws(NNError) {
      try self.init(json: json, name: name)
    } catch {
      throw error.within(name)
    }
  }

  /// Takes a document that was parsed or made before. Messages do not name it.
  init(json: JSONValue, name: String) throws(NNError) {
    let fields = try Fields(json, path: "", depth: 0)
    layers = try fields.layers("layers")
    about = fields.value("description") == nil ? nil : try fields.string("description")
    let isAutomatic = try fields.choice("output", [("automatic", true), ("none", false)], or: true)
    try fields.finish()
    addsOutputLayer = isAutomatic && !(layers.last.map(ModelDescription.isOutputLayer) ?? false)
    self.json = json
    self.name = name
  }

  /// Whether a layer is what a network of classes or numbers ends with: dense, and without an activation.
  private static func isOutputLayer(_ layer: any Layer) -> Bool {
    switch layer {
    case let placed as PlacedLayer: isOutputLayer(placed.layer)
    case let dense as Dense: dense.activation == .identity
    case let sequence as Sequential: sequence.layers.last.map(isOutputLayer) ?? false
    case let network as Network: network.body.layers.last.map(isOutputLayer) ?? false
    default: false
    }
  }

  /// The model, with an output layer of `outputs` units if ``addsOutputLayer``.
  public func model(outputs: Int) -> Sequential {
    Sequential(layers + (addsOutputLayer ? [Flatten(), Dense(outputs)] : []))
  }

  /// Checks that what the model gives for a sample is what its task needs.
  ///
  /// - Parameters:
  ///   - shape: extents of the model's output for one sample, as of ``Trainer/outputShape``.
  ///   - outputs: how many numbers a sample needs.
  /// - Throws: ``ErrorCode/shapeMismatch`` with both.
  public func requireOutput(_ shape: [Int], of outputs: Int) throws(NNError) {
    guard shape != [outputs] else { return }
    let given = shape.count == 1 ? "\(shape[0]) numbers" : "numbers of shape \(Shape(shape).description)"
    throw NNError(
      .shapeMismatch,
      "\(name): the last layer gives \(given) for each sample, but the data need \(outputs)"
        + (addsOutputLayer ? "" : "; correct its units, or leave it out: an output layer is added then"))
  }
}
