import NNGraph

/// Layers one after the other.
///
/// ```swift
/// let model = Sequential {
///   Conv2D(32, kernelSize: 3, padding: .same, activation: .relu)
///   if deep { Conv2D(32, kernelSize: 3, padding: .same, activation: .relu) }
///   MaxPool2D(2)
///   Flatten()
///   for width in widths { Dense(width, activation: .relu) }
///   Dense(10)
/// }
/// ```
public struct Sequential: Layer {
  public let layers: [any Layer]

  public init(_ layers: [any Layer]) {
    self.layers = layers
  }

  public init(@SequentialBuilder _ layers: () -> [any Layer]) {
    self.layers = layers()
  }

  /// A sequence has no name of its own: its layers count on in the model's numbering.
  public var kind: String { "" }

  public func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    var x = x
    for layer in layers { x = try layer(x) }
    return x
  }
}

/// Collects the layers of a ``Sequential``; understands `if`, `else`, `switch` and `for`.
@resultBuilder public enum SequentialBuilder {
  public static func buildExpression(
    _ layer: any Layer, file: StaticString = #fileID, line: UInt = #line
  ) -> [any Layer] {
    [LocatedLayer(layer: layer, file: file, line: line)]
  }

  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
}

/// A layer that knows the line on which it stands, for messages.
struct LocatedLayer: Layer {
  let layer: any Layer
  let file: StaticString
  let line: UInt

  var kind: String { "" }

  func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
    do throws(NNError) {
      return try layer(x)
    } catch {
      // The innermost line is the one at fault.
      if error.message.utf8.starts(with: "line ".utf8) { throw error }
      throw error.within("line \(line) of \(file)")
    }
  }
}
