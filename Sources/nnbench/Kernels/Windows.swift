import NNKernels

extension Benchmark {
  /// A convolution transposed: a product gives each pixel's patch, folding adds the patches up.
  private struct TransposedShape {
    var channels: Int
    var size: Int
    var filters: Int
    var kernel: Int
    var stride: Int
    var padding: Int
    var batch = 1

    init(
      _ channels: Int, _ size: Int, _ filters: Int, _ kernel: Int, stride: Int, padding: Int, batch: Int = 1
    ) {
      self.channels = channels
      self.size = size
      self.filters = filters
      self.kernel = kernel
      self.stride = stride
      self.padding = padding
      self.batch = batch
    }

    var outputSize: Int { (size - 1) * stride + kernel - 2 * padding }
    var window: Window {
      Window(
        kernel: (kernel, kernel), stride: (stride, stride), padding: (padding, padding, padding, padding))
    }
    var text: String {
      shapeText([channels, size, size]) + " to \(filters), \(kernel)x\(kernel)/\(stride)"
        + (batch > 1 ? ", batch \(batch)" : "")
    }
    var imageSize: Int { filters * outputSize * outputSize }
    /// Rows and columns of the patches.
    var taps: Int { filters * kernel * kernel }
    var pixels: Int { size * size }
  }

  private static let transposedShapes: [TransposedShape] = [
    .init(64, 1, 256, 4, stride: 1, padding: 0), .init(256, 4, 128, 4, stride: 2, padding: 1),
    .init(128, 8, 64, 4, stride: 2, padding: 1), .init(64, 16, 3, 4, stride: 2, padding: 1),
    .init(64, 56, 32, 2, stride: 2, padding: 0), .init(128, 28, 64, 3, stride: 2, padding: 1),
    .init(32, 14, 16, 3, stride: 1, padding: 1), .init(64, 16, 3, 4, stride: 2, padding: 1, batch: 32),
  ]

  static var transposedConvolutions: [Benchmark] {
    transposedShapes.map(transposedConvolution)
      + transposedShapes.filter { $0.size > 1 && $0.batch == 1 }.map(fold)
      + [
        unfold(3, 224, 7, stride: 2), unfold(64, 56, 3, stride: 1), unfold(128, 28, 3, stride: 2),
      ]
  }

  private static func transposedConvolution(_ shape: TransposedShape) -> Benchmark {
    let (m, n, k) = (shape.taps, shape.pixels, shape.channels)
    let work = Work(
      flops: 2 * count(shape.batch, m, n, k),
      bytes: 4 * (count(shape.batch, k, n) + count(m, k) + count(shape.batch, shape.imageSize)))
    return Benchmark(.transposed, "transposed conv", shape.text, work) { table, memory in
      let x = memory.floats(shape.batch * k * n)
      let columns = memory.floats(shape.batch * m * n)
      let panels = memory.floats(Panels.size(k: k, columns: n))
      let packs = n % Panels.width != 0
      var product = MatmulArguments(
        a: memory.floats(m * k), panels: packs ? panels : x, c: columns, m: m, n: n, k: k)
      if !packs { product.readRowMajor(rowStride: n) }
      let fold = UnfoldArguments(
        input: columns, out: memory.floats(shape.batch * shape.imageSize), window: shape.window,
        planes: shape.batch * shape.filters, height: shape.outputSize, width: shape.outputSize)
      let first = product
      return {
        for image in 0..<shape.batch {
          var one = first
          one.c = columns + image * m * n
          if packs {
            Panels.pack(
              x + image * k * n, k: k, columns: n, rowStride: n, into: panels,
              range: 0..<Panels.count(columns: n))
          } else {
            one.panels = UnsafePointer(x + image * k * n)
          }
          table.matmul(one, 0..<one.workUnits)
        }
        table.fold(fold, 0..<fold.planes)
      }
    }
  }

  private static func fold(_ shape: TransposedShape) -> Benchmark {
    let patches = count(shape.taps, shape.pixels)
    let work = Work(flops: patches, bytes: 4 * (patches + count(shape.imageSize)))
    return Benchmark(.transposed, "fold", shape.text, work) { table, memory in
      let arguments = UnfoldArguments(
        input: memory.floats(shape.taps * shape.pixels), out: memory.floats(shape.imageSize),
        window: shape.window, planes: shape.filters, height: shape.outputSize, width: shape.outputSize)
      return { table.fold(arguments, 0..<arguments.planes) }
    }
  }

  private static func unfold(_ channels: Int, _ size: Int, _ kernel: Int, stride: Int) -> Benchmark {
    let pad = kernel / 2
    let window = Window(
      kernel: (kernel, kernel), stride: (stride, stride), padding: (pad, pad, pad, pad))
    let pixels = window.outputHeight(size) * window.outputWidth(size)
    let patches = channels * kernel * kernel * pixels
    return Benchmark(
      .transposed, "unfold", shapeText([channels, size, size]) + ", \(kernel)x\(kernel)/\(stride)",
      Work(bytes: 4 * (count(patches) + count(channels, size, size)))
    ) { table, memory in
      let arguments = UnfoldArguments(
        input: memory.floats(channels * size * size), out: memory.floats(patches), window: window,
        planes: channels, height: size, width: size)
      return { table.unfold(arguments, 0..<channels) }
    }
  }
}

/// Pooling of square planes.
struct PoolShape {
  var planes: Int
  var size: Int
  var window: Window

  init(_ planes: Int, _ size: Int, _ kernel: Int, stride: Int, padding: Int = 0) {
    self.planes = planes
    self.size = size
    window = Window(
      kernel: (kernel, kernel), stride: (stride, stride), padding: (padding, padding, padding, padding))
  }

  var imageSize: Int { planes * size * size }
  var resultSize: Int { planes * window.outputHeight(size) * window.outputWidth(size) }
  var taps: Int { window.kernelHeight * window.kernelWidth }
  var text: String {
    shapeText([planes, size, size]) + ", \(window.kernelHeight)x\(window.kernelWidth)/\(window.strideWidth)"
  }

  static var maxima: [PoolShape] {
    [
      .init(64, 112, 3, stride: 2, padding: 1), .init(32, 26, 2, stride: 2), .init(64, 11, 2, stride: 2),
      .init(32 * 64, 26, 2, stride: 2), .init(64, 224, 2, stride: 2),
      .init(256, 14, 3, stride: 1, padding: 1),
      .init(512, 13, 5, stride: 1, padding: 2), .init(96, 55, 3, stride: 2),
    ]
  }
  /// The last ones are whole planes.
  static var means: [PoolShape] {
    [
      .init(32, 26, 2, stride: 2), .init(6, 28, 2, stride: 2), .init(128, 56, 2, stride: 2),
      .init(192, 35, 3, stride: 1, padding: 1), .init(512, 7, 7, stride: 1), .init(1280, 7, 7, stride: 1),
      .init(2048, 7, 7, stride: 1), .init(64, 56, 56, stride: 1),
    ]
  }
}

extension Benchmark {
  static var pools: [Benchmark] {
    PoolShape.maxima.map { pool($0, isMaximum: true) } + PoolShape.means.map { pool($0, isMaximum: false) }
  }

  /// A comparison or an addition for each tap but the first, and a division for each mean.
  private static func pool(_ shape: PoolShape, isMaximum: Bool) -> Benchmark {
    let work = Work(
      flops: count(shape.resultSize, max(1, shape.taps - (isMaximum ? 1 : 0))),
      bytes: 4 * (count(shape.imageSize) + count(shape.resultSize)))
    return Benchmark(.pool, isMaximum ? "max pool" : "average pool", shape.text, work) { table, memory in
      let arguments = PoolArguments(
        x: memory.floats(shape.imageSize), y: memory.floats(shape.resultSize), window: shape.window,
        planes: shape.planes, height: shape.size, width: shape.size)
      let kernel = isMaximum ? table.maximumPool : table.averagePool
      return { kernel(arguments, 0..<shape.planes) }
    }
  }
}
