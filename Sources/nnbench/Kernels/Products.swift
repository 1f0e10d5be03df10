import NNGraph
import NNKernels

extension Benchmark {
  /// (m, n, k): layers of transformers, perceptrons and recurrences, sizes that are no multiple of a tile, and large squares.
  private static let productShapes = [
    (128, 384, 384), (128, 1536, 384), (128, 384, 1536), (512, 512, 512), (1024, 1024, 1024),
    (256, 256, 256), (64, 64, 64), (512, 512, 32), (100, 100, 1000), (37, 53, 71), (16, 16, 4096),
    (4096, 16, 16), (64, 512, 784), (64, 256, 512), (64, 10, 256), (64, 1000, 2048), (2, 512, 512),
    (4, 512, 512), (8, 512, 512), (16, 512, 512), (32, 512, 512), (32, 256, 64), (32, 64, 256), (32, 10, 128),
  ]

  /// (n, k) of products of one row: layers of perceptrons and recurrences, and classifiers. Weights beyond every cache are added.
  private static let rowShapes = [
    (10, 64), (10, 256), (128, 64), (128, 784), (256, 512), (512, 128), (512, 512), (512, 784), (784, 128),
    (1000, 1280), (1000, 2048), (1536, 384),
  ]

  static var products: [Benchmark] {
    let plain = productShapes + rowShapes.map { (1, $0.0, $0.1) } + [(1, 4096, 4096)]
    return plain.map { product(m: $0.0, n: $0.1, k: $0.2) } + [
      product(m: 128, n: 1536, k: 384, .gelu), product(m: 128, n: 384, k: 384, .relu),
      product(m: 64, n: 512, k: 784, .relu), product(m: 1, n: 512, k: 784, .relu),
      product(m: 1, n: 256, k: 512, .relu, zeros: 2), product(m: 1, n: 784, k: 128, .relu, zeros: 2),
      product(m: 1, n: 4096, k: 4096, .relu, zeros: 3),
      product(m: 128, n: 128, k: 32, batch: 12), product(m: 128, n: 32, k: 128, batch: 12),
      product(m: 64, n: 64, k: 16, batch: 128), product(m: 1, n: 128, k: 32, batch: 12),
      scalarProduct(.f64, m: 64, n: 64, k: 64), scalarProduct(.f64, m: 256, n: 256, k: 256),
      scalarProduct(.i32, m: 64, n: 64, k: 64), scalarProduct(.i64, m: 64, n: 64, k: 64),
    ]
  }

  static var narrowProducts: [Benchmark] {
    (rowShapes + [(8192, 4096)]).flatMap { (n, k) in
      [narrowProduct(.bf16, n: n, k: k), narrowProduct(.f16, n: n, k: k)]
    }
  }

  /// With a function, also with a bias, and with rows left out that zeros meet: `zeros` of 4 elements, spread. Work is counted as if
  /// there were none.
  private static func product(
    m: Int, n: Int, k: Int, _ function: UnaryFunction = .identity, batch: Int = 1, zeros: UInt32 = 0
  ) -> Benchmark {
    let isPlain = function == .identity
    let name = "matmul, bias, \(function)" + (zeros > 0 ? ", \(zeros * 25) % zeros" : "")
    let work = Work(
      flops: 2 * count(batch, m, n, k), bytes: 4 * count(batch) * (count(m, k) + count(k, n) + count(m, n)))
    let shape = "\(m) x \(n) x \(k)" + (batch > 1 ? ", batch \(batch)" : "")
    return Benchmark(.matmul, isPlain ? "matmul" : name, shape, work) { table, memory in
      let size = Panels.size(k: k, columns: n)
      let a = memory.floats(batch * m * k)
      for index in 0..<batch * m * k where (UInt32(index) &* 0x9E37_79B9) >> 30 < zeros { a[index] = 0 }
      var arguments = MatmulArguments(
        a: a, panels: memory.floats(batch * size), c: memory.floats(batch * m * n),
        bias: isPlain ? nil : UnsafePointer(memory.floats(n)),
        epilogue: Epilogue(Activation(function)), m: m, n: n, k: k)
      arguments.skipsZeros = zeros > 0
      arguments.batch = batch
      arguments.aBatchStride = m * k
      arguments.panelsBatchStride = size
      arguments.cBatchStride = m * n
      let (ready, units) = (arguments, arguments.workUnits)
      return { table.matmul(ready, 0..<units) }
    }
  }

  private static func narrowProduct(_ format: NarrowPanels.Format, n: Int, k: Int) -> Benchmark {
    let work = Work(flops: 2 * count(n, k), bytes: 4 * count(k) + 2 * count(k, n) + 4 * count(n))
    return Benchmark(.narrow, "matmul \(format)", "1 x \(n) x \(k)", work) { table, memory in
      let panels = memory.floats(Panels.size(k: k, columns: n))
      let numbers = NarrowPanels.size(k: k, columns: n)
      let narrow = memory.bytes(2 * numbers).bindMemory(to: UInt16.self, capacity: numbers)
      format.fill(narrow, from: panels, k: k, columns: n)
      var arguments = MatmulArguments(
        a: memory.floats(k), panels: panels, c: memory.floats(n), m: 1, n: n, k: k)
      arguments.narrowPanels = NarrowPanels(format, narrow, k: k)
      let (ready, units) = (arguments, arguments.workUnits)
      return { table.matmul(ready, 0..<units) }
    }
  }

  /// Of a type that has no panels. Operations of integers are set against the peak of floats.
  private static func scalarProduct(_ type: DType, m: Int, n: Int, k: Int) -> Benchmark {
    var work = Work(
      flops: 2 * count(m, n, k), bytes: Double(type.size) * (count(m, k) + count(k, n) + count(m, n)))
    work.peakShare = 4 / Double(type.size)
    return Benchmark(.matmul, "matmul \(type)", "\(m) x \(n) x \(k)", work) { table, memory in
      guard let kernel = table.matmulScalar(type) else { return nil }
      let operands = [m * k, k * n].map { size -> UnsafeMutableRawPointer in
        type == .f64 ? UnsafeMutableRawPointer(memory.doubles(size)) : memory.bytes(size * type.size)
      }
      let arguments = ScalarMatmulArguments(
        a: operands[0], b: operands[1], bias: nil, c: memory.bytes(m * n * type.size), n: n, k: k,
        aStrides: (k, 1), bStrides: (n, 1))
      return { kernel(arguments, 0..<m) }
    }
  }
}
