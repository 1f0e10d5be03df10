import NNGraph
import NNKernels

extension Benchmark {
  static var movements: [Benchmark] {
    [
      copy("copy", [2048], strides: [1]), copy("copy", [64 << 10], strides: [1]),
      copy("copy", [1 << 20], strides: [1]), copy("copy", [32 << 20], strides: [1]),
      copy("slice", [128, 192], strides: [384, 1]), copy("slice", [64, 28, 28], strides: [56 * 56, 112, 2]),
      copy("reverse", [1 << 16], strides: [-1], start: (1 << 16) - 1),
      copy("expand", [128, 384], strides: [0, 1]), copy("expand", [64, 56 * 56], strides: [1, 0]),
      copy("fill", [1 << 16], strides: [0]),
      transpose([64, 64], [1, 0]), transpose([512, 512], [1, 0]), transpose([1024, 4096], [1, 0]),
      transpose([10, 1000], [1, 0]), transpose([512, 512], [1, 0], elementSize: 1),
      transpose([512, 512], [1, 0], elementSize: 2), transpose([512, 512], [1, 0], elementSize: 8),
      transpose([128, 12, 32], [1, 0, 2]), transpose([128, 12, 32], [1, 2, 0]),
      transpose([64, 56, 56], [1, 2, 0]), transpose([56, 56, 64], [2, 0, 1]),
      transpose([224, 224, 3], [2, 0, 1]), transpose([32, 128, 16, 8], [0, 2, 1, 3]),
      gather(rows: 128, of: 30522, inner: 384), gather(rows: 64, of: 1000, inner: 64),
      gather(rows: 1 << 16, of: 1 << 16, inner: 1), scatter(.add, rows: 128, of: 30522, inner: 384),
      scatter(.replace, rows: 1 << 16, of: 1 << 16, inner: 1), argsort(rows: 64, axis: 1000),
    ]
  }

  /// From any strides to contiguous; a stride of 0 is read once.
  private static func copy(
    _ kernel: String, _ dims: [Int], strides: [Int], start: Int = 0, elementSize: Int = 4,
    shape: String? = nil
  ) -> Benchmark {
    let size = dims.reduce(1, *)
    let distinct = zip(dims, strides).reduce(1) { $1.1 == 0 ? $0 : $0 * $1.0 }
    let reach = zip(dims, strides).reduce(1) { $0 + ($1.0 - 1) * abs($1.1) }
    let type = elementSize == 4 ? "" : ", \(elementSize) bytes each"
    let text = (shape ?? shapeText(dims) + " from strides \(shapeText(strides))") + type
    return Benchmark(
      .movement, kernel, text,
      Work(bytes: count(elementSize) * (count(size) + count(distinct)), elements: count(size))
    ) { table, memory in
      let contiguous = BroadcastLayout.contiguousStrides(dims)
      guard let run = table.copy(elementSize),
        let layout = BroadcastLayout(dims: dims, strides0: strides, strides1: contiguous)
      else { return nil }
      let arguments = CopyArguments(
        source: memory.bytes(reach * elementSize) + start * elementSize,
        destination: memory.bytes(size * elementSize), layout: layout)
      return { run(arguments, 0..<size) }
    }
  }

  private static func transpose(_ shape: [Int], _ order: [Int], elementSize: Int = 4) -> Benchmark {
    let strides = BroadcastLayout.contiguousStrides(shape)
    let text = shapeText(shape) + " by " + order.map(String.init).joined(separator: ", ")
    return copy(
      "transpose", order.map { shape[$0] }, strides: order.map { strides[$0] }, elementSize: elementSize,
      shape: text)
  }

  private static func gather(rows: Int, of total: Int, inner: Int) -> Benchmark {
    let moved = rows * inner
    return Benchmark(
      .movement, "gather", "\(rows) of \(total) rows of \(inner)",
      Work(bytes: 8 * count(moved) + 8 * count(rows), elements: count(moved))
    ) { table, memory in
      let arguments = GatherArguments(
        data: memory.bytes(4 * total * inner), indices: memory.indices(rows, below: total), wideIndices: true,
        out: memory.bytes(4 * moved), outer: 1, axis: total, count: rows, innerBytes: 4 * inner)
      return { _ = table.gather(arguments, 0..<rows) }
    }
  }

  /// What is updated is read and written, what replaces is written.
  private static func scatter(_ function: ScatterFunction, rows: Int, of total: Int, inner: Int) -> Benchmark
  {
    let moved = rows * inner
    let bytes = (function == .replace ? 8 : 12) * count(moved) + 8 * count(rows)
    return Benchmark(
      .movement, "scatter \(function)", "\(rows) of \(total) rows of \(inner)",
      Work(bytes: bytes, elements: count(moved))
    ) { table, memory in
      guard let kernel = table.scatter(function, .f32) else { return nil }
      let arguments = ScatterArguments(
        updates: memory.bytes(4 * moved), indices: memory.indices(rows, below: total), wideIndices: true,
        out: memory.bytes(4 * total * inner), outer: 1, axis: total, count: rows, inner: inner)
      return { _ = kernel(arguments, 0..<inner) }
    }
  }

  private static func argsort(rows: Int, axis: Int) -> Benchmark {
    let size = rows * axis
    let work = Work(bytes: 12 * count(size), elements: count(size))
    return Benchmark(.movement, "argsort", "\(rows) x \(axis)", work) { table, memory in
      let arguments = ArgsortArguments(
        x: memory.floats(size), dtype: .f32, y: memory.indices(size, below: axis), outer: rows, axis: axis,
        inner: 1, isDescending: true)
      return { table.argsort(arguments, 0..<rows) }
    }
  }
}
