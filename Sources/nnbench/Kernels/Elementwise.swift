import NNGraph
import NNKernels

extension Benchmark {
  static var elementwise: [Benchmark] {
    let (hidden, image) = ([128, 384], [64, 56, 56])
    let shapes: [[[Int]]] = [
      [[2048], [2048]], [hidden, hidden], [image, image], [[16 << 20], [16 << 20]], [hidden, [384]],
      [hidden, [128, 1]], [image, [64, 1, 1]], [hidden, [1]], [[12, 128, 128], [1, 128, 128]],
    ]
    let others: [BinaryFunction] = [.subtract, .multiply, .divide, .minimum, .maximum, .power, .remainder]
    return shapes.map { binary(.add, $0[0], $0[1]) } + others.map { binary($0, hidden, hidden) } + [
      binary(.add, hidden, hidden, .f64), binary(.add, hidden, hidden, .i64),
      binary(.divide, [128, 384], [128, 1]), compare(.less, hidden, hidden), compare(.greater, hidden, [1]),
      select(hidden), scaledSum(hidden),
    ] + chains + casts
  }

  private static func operand(_ type: DType, _ size: Int, _ memory: Memory) -> UnsafeMutableRawPointer {
    switch type {
    case .f32: UnsafeMutableRawPointer(memory.floats(size))
    case .f64: UnsafeMutableRawPointer(memory.doubles(size))
    default: memory.bytes(size * type.size)
    }
  }

  private static func binary(
    _ function: BinaryFunction, _ a: [Int], _ b: [Int], _ type: DType = .f32
  ) -> Benchmark {
    let (size, second) = (a.reduce(1, *), b.reduce(1, *))
    let text = a == b ? shapeText(a) : shapeText(a) + " and " + shapeText(b)
    let isArithmetic = [.add, .subtract, .multiply, .minimum, .maximum].contains(function)
    var work = Work(
      flops: isArithmetic ? count(size) : nil, bytes: Double(type.size) * (2 * count(size) + count(second)),
      elements: count(size))
    work.peakShare = 4 / Double(type.size)
    let name = type == .f32 ? "\(function)" : "\(function) \(type)"
    return Benchmark(.elementwise, name, text, work) { table, memory in
      guard let kernel = table.binary(function, type), let layout = BroadcastLayout(output: a, a, b) else {
        return nil
      }
      let arguments = BinaryArguments(
        a: operand(type, size, memory), b: operand(type, second, memory), out: operand(type, size, memory),
        layout: layout)
      return { kernel(arguments, 0..<size) }
    }
  }

  private static func compare(_ function: CompareFunction, _ a: [Int], _ b: [Int]) -> Benchmark {
    let (size, second) = (a.reduce(1, *), b.reduce(1, *))
    let text = a == b ? shapeText(a) : shapeText(a) + " and " + shapeText(b)
    let work = Work(flops: count(size), bytes: 5 * count(size) + 4 * count(second), elements: count(size))
    return Benchmark(.elementwise, "\(function)", text, work) { table, memory in
      guard let kernel = table.compare(function, .f32), let layout = BroadcastLayout(output: a, a, b) else {
        return nil
      }
      let arguments = BinaryArguments(
        a: memory.floats(size), b: memory.floats(second), out: memory.bytes(size), layout: layout)
      return { kernel(arguments, 0..<size) }
    }
  }

  private static func select(_ shape: [Int]) -> Benchmark {
    let size = shape.reduce(1, *)
    let work = Work(bytes: 13 * count(size), elements: count(size))
    return Benchmark(.elementwise, "select", shapeText(shape), work) { table, memory in
      guard let kernel = table.select(4), let layout = BroadcastLayout(output: shape, shape, shape, shape)
      else { return nil }
      let condition = memory.bytes(size).bindMemory(to: UInt8.self, capacity: size)
      for i in 0..<size { condition[i] = UInt8(i % 3 & 1) }
      let arguments = SelectArguments(
        condition: condition, a: memory.floats(size), b: memory.floats(size), out: memory.floats(size),
        layout: layout)
      return { kernel(arguments, 0..<size) }
    }
  }

  private static func scaledSum(_ shape: [Int]) -> Benchmark {
    let size = shape.reduce(1, *)
    let work = Work(flops: 3 * count(size), bytes: 12 * count(size), elements: count(size))
    return Benchmark(.elementwise, "scaled sum", shapeText(shape), work) { table, memory in
      let (a, b, out) = (memory.floats(size), memory.floats(size), memory.floats(size))
      let kernel = table.scaledSum(false)
      return { kernel(a, 1, 0.5, b, 1, 0.25, out, size) }
    }
  }

  private static var casts: [Benchmark] {
    let pairs: [(DType, DType)] = [
      (.f16, .f32), (.f32, .f16), (.bf16, .f32), (.f32, .bf16), (.f64, .f32), (.u8, .f32), (.i64, .f32),
      (.f32, .i64), (.f32, .u8),
    ]
    let size = 48 << 10
    return pairs.map { from, to in
      let work = Work(bytes: count(size, from.size + to.size), elements: count(size))
      return Benchmark(.elementwise, "cast \(from) to \(to)", "\(size)", work) { table, memory in
        guard let kernel = table.cast(from, to, .standard) else { return nil }
        let (x, y) = (operand(from, size, memory), operand(to, size, memory))
        return { kernel(x, y, size) }
      }
    }
  }
}

// Chains of nodes run as the runtime runs them: block by block, with what passes between nodes in the first-level cache.
extension Benchmark {
  private static var chains: [Benchmark] {
    [
      chain("add, relu", [64, 56, 56], isBinary: true, flops: 2) { table, block in
        let (add, relu) = (table.combine(.add), table.unary(.relu))
        return {
          add?(block.a + $0, 1, block.b + $0, 1, block.scratch, $1)
          relu(block.scratch, block.out + $0, $1, 0, 0)
        }
      },
      chain("multiply, add, relu", [64, 56, 56], isBinary: true, flops: 3) { table, block in
        let (multiply, add, relu) = (table.combine(.multiply), table.combine(.add), table.unary(.relu))
        return {
          multiply?(block.a + $0, 1, block.b, 0, block.scratch, $1)
          add?(block.scratch, 1, block.b + $0, 1, block.scratch, $1)
          relu(block.scratch, block.out + $0, $1, 0, 0)
        }
      },
      chain("sigmoid, multiply", [96, 56, 56], isBinary: false, flops: nil) { table, block in
        let (sigmoid, multiply) = (table.unary(.sigmoid), table.combine(.multiply))
        return {
          sigmoid(block.a + $0, block.scratch, $1, 0, 0)
          multiply?(block.scratch, 1, block.a + $0, 1, block.out + $0, $1)
        }
      },
    ]
  }

  private struct Block {
    var a: UnsafePointer<Float>
    var b: UnsafePointer<Float>
    var out: UnsafeMutablePointer<Float>
    var scratch: UnsafeMutablePointer<Float>
  }

  private static func chain(
    _ name: String, _ shape: [Int], isBinary: Bool, flops: Double?,
    _ makeBody: @escaping (KernelTable, Block) -> (_ first: Int, _ length: Int) -> Void
  ) -> Benchmark {
    let (size, blockLength) = (shape.reduce(1, *), 1024)
    let work = Work(
      flops: flops.map { $0 * count(size) }, bytes: count(size, isBinary ? 12 : 8), elements: count(size))
    return Benchmark(.elementwise, "chain", "\(name), \(shapeText(shape))", work) { table, memory in
      let block = Block(
        a: memory.floats(size), b: memory.floats(size), out: memory.floats(size),
        scratch: memory.floats(blockLength))
      let body = makeBody(table, block)
      return {
        for first in stride(from: 0, to: size, by: blockLength) {
          body(first, min(blockLength, size - first))
        }
      }
    }
  }

  /// Functions take the time, so no operations are counted.
  static var unaryFunctions: [Benchmark] {
    let large: [UnaryFunction] = [.relu, .exponential, .sigmoid, .tanh, .gelu, .silu]
    let doubles: [UnaryFunction] = [.exponential, .logarithm, .tanh, .sine]
    return UnaryFunction.allCases.map { unary($0, 2048) } + large.map { unary($0, 1 << 20) }
      + doubles.map(unary64)
  }

  private static func unary(_ function: UnaryFunction, _ size: Int) -> Benchmark {
    let work = Work(bytes: 8 * count(size), elements: count(size))
    return Benchmark(.unary, "\(function)", "\(size)", work) { table, memory in
      let (x, y, kernel) = (memory.floats(size), memory.floats(size), table.unary(function))
      return { kernel(x, y, size, 0.01, 1) }
    }
  }

  private static func unary64(_ function: UnaryFunction) -> Benchmark {
    let size = 1024
    let work = Work(bytes: 16 * count(size), elements: count(size))
    return Benchmark(.unary, "\(function) f64", "\(size)", work) { table, memory in
      let (x, y, kernel) = (memory.doubles(size), memory.doubles(size), table.unary64(function))
      return { kernel(x, y, size, 0.01, 1) }
    }
  }

  static var randomNumbers: [Benchmark] {
    [RandomFunction.uniform, .normal].map { function in
      let size = 64 << 10
      let work = Work(bytes: 4 * count(size), elements: count(size))
      return Benchmark(.random, "\(function)", "\(size)", work) { table, memory in
        let kernel = table.random(function)
        let arguments = RandomArguments(out: memory.floats(size), count: size, seed: 1, stream: 2)
        return { kernel(arguments, 0..<size) }
      }
    }
  }
}
