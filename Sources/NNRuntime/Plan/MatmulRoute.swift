import NNGraph
import NNKernels

/// How one matrix product is carried out: its extents, and where its second operand gets its panels from.
struct MatmulRoute {
  enum Source {
    /// The second operand is a constant in panels.
    case panels
    /// It is packed into panels in the node's workspace, before each product.
    case packed
    /// It is read as it is, row-major with whole panels side by side.
    case direct
    /// The whole product is the plan's ``Plan/Options/product``.
    case replaced(ProductFunction)
  }

  let source: Source
  /// Rows, columns and inner extent of one product.
  let m: Int
  let n: Int
  let k: Int
  /// Extents of the batch axes of the operands and of the result.
  let aBatch: [Int]
  let bBatch: [Int]
  let batch: [Int]
  let transposesA: Bool
  let transposesB: Bool
  /// What panels are kept in beside those of the constant, where that makes the product of one row faster.
  let narrowFormat: NarrowPanels.Format?

  /// Smaller products than this, in multiply–adds, are not worth handing to a library.
  private static let leastReplacedWork = 4096

  init(_ matmul: Matmul, _ graph: Graph, _ node: Node, _ types: [TensorType], _ options: Plan.Options) {
    let a = types[node.inputs[0].index].shape.extents ?? []
    let b = types[node.inputs[1].index].shape.extents ?? []
    let c = types[node.outputs[0].index].shape.extents ?? []
    transposesA = matmul.transposesA
    transposesB = matmul.transposesB
    k = a[a.count - (transposesA ? 2 : 1)]
    n = c[c.count - 1]
    var rows = c[c.count - 2]
    var batches = (a: Array(a.dropLast(2)), b: Array(b.dropLast(2)), c: Array(c.dropLast(2)))
    // One matrix for a whole batch of rows is one product with more rows.
    if !transposesA, batches.b.allSatisfy({ $0 == 1 }) {
      rows *= batches.c.reduce(1, *)
      batches = ([], [], [])
    }
    m = rows
    aBatch = batches.a
    bBatch = batches.b
    batch = batches.c
    let constant = graph[node.inputs[1]].constant
    narrowFormat =
      MatmulArguments.splitsSums(n: n, k: k)
      ? nil : constant.flatMap { MatmulRoute.narrowFormat(of: $0, rows: rows, options) }
    if constant?.layout == .panels {
      source = .panels
    } else if let product = options.product, m * n >= MatmulRoute.leastReplacedWork / max(k, 1), k > 0 {
      source = .replaced(product)
    } else if !transposesB, n % Panels.width == 0,
      m <= MatmulRoute.directRows || n <= MatmulRoute.directColumns
    {
      source = .direct
    } else {
      source = .packed
    }
  }

  /// Baseline instructions take longer to widen numbers than to read them, and with more rows no product waits for its weights.
  private static func narrowFormat(
    of constant: Tensor, rows: Int, _ options: Plan.Options
  ) -> NarrowPanels.Format? {
    guard constant.layout == .panels, rows == 1, options.instructionSet != .baseline,
      constant.bytes.count >= smallestNarrowed
    else { return nil }
    let numbers = constant.bytes.bindMemory(to: Float.self)
    guard let first = numbers.baseAddress else { return nil }
    return .holding(first, numbers.count)
  }

  /// Bytes of weights that are as fast to read as they are.
  private static let smallestNarrowed = 1 << 14

  /// With no more rows than this, packing takes longer than it saves.
  private static let directRows = 128
  /// Rows of up to so many columns lie close enough together to be read as well as panels.
  private static let directColumns = 128

  /// Elements of one second operand as the product reads it.
  var bSize: Int {
    if case .direct = source { return k * n }
    return panelsSize
  }

  var batchCount: Int { batch.reduce(1, *) }
  var panelsSize: Int { Panels.size(k: k, columns: n) }

  /// Bytes of workspace for the panels of all second operands.
  var panelsBytes: Int {
    if narrowFormat != nil { return (NarrowPanels.size(k: k, columns: n) * 2 + 63) / 64 * 64 }
    guard case .packed = source else { return 0 }
    return (bBatch.reduce(1, *) * panelsSize * 4 + 63) / 64 * 64
  }

}
