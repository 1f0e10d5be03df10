import NNGraph

/// The kernel of a function, see ``ScatterArguments``: replacing works on every type, the others on f32, f64, i32 and i64; else nil.
func scatterKernel(_ function: ScatterFunction, _ dtype: DType) -> IndexedKernel<ScatterArguments>? {
  if function == .replace {
    switch dtype.size {
    case 1: return { scatter($0, $1, of: UInt8.self) { $1 } }
    case 2: return { scatter($0, $1, of: UInt16.self) { $1 } }
    case 4: return { scatter($0, $1, of: UInt32.self) { $1 } }
    default: return { scatter($0, $1, of: UInt64.self) { $1 } }
    }
  }
  switch dtype {
  case .f32: return floatKernel(function, Float.self)
  case .f64: return floatKernel(function, Double.self)
  case .i32: return integerKernel(function, Int32.self)
  case .i64: return integerKernel(function, Int64.self)
  default: return nil
  }
}

private func floatKernel<Element: BinaryFloatingPoint & BitwiseCopyable & SendableMetatype>(
  _ function: ScatterFunction, _: Element.Type
) -> IndexedKernel<ScatterArguments> {
  switch function {
  case .replace: { scatter($0, $1, of: Element.self) { $1 } }
  case .add: { scatter($0, $1, of: Element.self) { $0 + $1 } }
  case .multiply: { scatter($0, $1, of: Element.self) { $0 * $1 } }
  case .minimum: { scatter($0, $1, of: Element.self) { $0 < $1 || $0.isNaN ? $0 : $1 } }
  case .maximum: { scatter($0, $1, of: Element.self) { $0 > $1 || $0.isNaN ? $0 : $1 } }
  }
}

private func integerKernel<Element: FixedWidthInteger & BitwiseCopyable & SendableMetatype>(
  _ function: ScatterFunction, _: Element.Type
) -> IndexedKernel<ScatterArguments> {
  switch function {
  case .replace: { scatter($0, $1, of: Element.self) { $1 } }
  case .add: { scatter($0, $1, of: Element.self) { $0 &+ $1 } }
  case .multiply: { scatter($0, $1, of: Element.self) { $0 &* $1 } }
  case .minimum: { scatter($0, $1, of: Element.self) { min($0, $1) } }
  case .maximum: { scatter($0, $1, of: Element.self) { max($0, $1) } }
  }
}

/// All indices are checked before anything is changed.
@inline(__always)
private func scatter<Element: BitwiseCopyable>(
  _ arguments: ScatterArguments, _ range: Range<Int>, of _: Element.Type,
  _ combine: (Element, Element) -> Element
) -> Int {
  var i = 0
  while i < arguments.count {
    if position(arguments.indices, arguments.wideIndices, i, arguments.axis) < 0 { return i }
    i &+= 1
  }
  let allUpdates = arguments.updates.assumingMemoryBound(to: Element.self)
  let all = arguments.out.assumingMemoryBound(to: Element.self)
  var unit = range.lowerBound
  while unit < range.upperBound {
    let outer = unit / arguments.inner
    let column = unit % arguments.inner
    let columns = min(arguments.inner &- column, range.upperBound &- unit)
    let updates = allUpdates + (outer &* arguments.count &* arguments.inner &+ column)
    let out = all + (outer &* arguments.axis &* arguments.inner &+ column)
    i = 0
    while i < arguments.count {
      let row = position(arguments.indices, arguments.wideIndices, i, arguments.axis)
      let source = updates + i &* arguments.inner
      let target = out + row &* arguments.inner
      var j = 0
      while j < columns {
        target[j] = combine(target[j], source[j])
        j &+= 1
      }
      i &+= 1
    }
    unit &+= columns
  }
  return -1
}
