import NNGraph

/// The constants of a model on its way out. All stand in the main graph, where bodies see them too.
final class OnnxInitializers {
  /// Each name once, in order of first use.
  private(set) var entries: [(name: String, tensor: Tensor)] = []
  private let names: UniqueNames
  private var shared: [StorageKey: String] = [:]
  private var small: [ContentKey: String] = [:]

  /// Tensors of at most so many bytes are compared by content.
  private static let smallSize = 64

  private struct StorageKey: Hashable {
    let address: UnsafeRawPointer
    let dtype: DType
    let extents: [Int]
    let layout: TensorLayout
  }

  private struct ContentKey: Hashable {
    let bytes: [UInt8]
    let dtype: DType
    let extents: [Int]
  }

  init(names: UniqueNames) {
    self.names = names
  }

  /// The name of a constant, which is `wish` or like it where the constant is new.
  func name(of tensor: Tensor, wish: String) -> String {
    if tensor.bytes.count <= OnnxInitializers.smallSize, tensor.layout == .rowMajor {
      let key = ContentKey(bytes: Array(tensor.bytes), dtype: tensor.dtype, extents: tensor.extents)
      return known(&small, key, tensor, wish)
    }
    guard let address = tensor.bytes.baseAddress else { return add(tensor, wish) }
    let key = StorageKey(
      address: address, dtype: tensor.dtype, extents: tensor.extents, layout: tensor.layout)
    return known(&shared, key, tensor, wish)
  }

  private func known<Key: Hashable>(
    _ table: inout [Key: String], _ key: Key, _ tensor: Tensor, _ wish: String
  ) -> String {
    if let name = table[key] { return name }
    let name = add(tensor, wish)
    table[key] = name
    return name
  }

  private func add(_ tensor: Tensor, _ wish: String) -> String {
    let name = names.take(wish)
    entries.append((name, tensor))
    return name
  }
}
