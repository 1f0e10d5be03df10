import CPlatform
import NNGraph

/// See ``ReduceArguments``. `divisor` divides every result: 1, or the count for a mean, which shares the sum's code.
@inlinable @inline(never) @_optimize(size)
func reduce<F: FoldFunction, I: InstructionSet>(
  _ arguments: ReduceArguments, _ range: Range<Int>, _ divisor: Float, _: F.Type, _: I.Type
) {
  let layout = arguments.layout
  let last = layout.keptRank &- 1
  let step = layout.keptStrides[last]
  let isRow = layout.reducedRank == 1 && layout.reducedStrides[0] == 1
  let count = layout.reducedCount
  var walk = StridedWalk(
    layout.keptRank, layout.keptDims, layout.keptStrides, layout.keptStrides, layout.keptStrides, range)
  while walk.next() {
    let x = arguments.x + walk.offset0
    let y = arguments.y + walk.position
    var i = 0
    if !isRow && step == 1 {
      while i < walk.count {
        let columns = min(16, walk.count &- i)
        let result = foldColumns(x + i, columns, layout, F.self, I.self)
        storeColumns(y + i, columns, result / nnp_splat(divisor))
        i &+= 16
      }
    } else {
      while i < walk.count {
        let source = x + i &* step
        let lanes: Vector =
          isRow ? F.lanes(source, count, I.self) : scatteredLanes(source, layout, F.self, I.self)
        y[i] = F.foldLanes(lanes, I.self) / divisor
        i &+= 1
      }
    }
  }
}

@inlinable @inline(__always)
func reducedWalk(_ layout: ReduceLayout) -> StridedWalk {
  StridedWalk(
    layout.reducedRank, layout.reducedDims, layout.reducedStrides, layout.reducedStrides,
    layout.reducedStrides, 0..<layout.reducedCount)
}

/// Sixteen neighbouring results at once.
@inlinable @inline(__always)
func foldColumns<F: FoldFunction, I: InstructionSet>(
  _ x: UnsafePointer<Float>, _ columns: Int, _ layout: ReduceLayout, _: F.Type, _: I.Type
) -> Vector {
  var lanes = Lanes()
  F.startLanes(&lanes)
  let step = layout.reducedStrides[layout.reducedRank &- 1]
  var walk = reducedWalk(layout)
  while walk.next() {
    var i = 0
    while i < walk.count {
      let lane = (walk.position &+ i) & 15
      let values = loadColumns(x + (walk.offset0 &+ i &* step), columns, 0)
      nnp_set_lane(&lanes, lane, F.take(nnp_lane(&lanes, lane), values, I.self))
      i &+= 1
    }
  }
  return F.foldLanes(&lanes, I.self)
}

/// The lanes of one result whose elements lie anywhere: sixteen are gathered at a time. Runs of neighbours need not begin at the first lane:
/// what fills some lanes only waits for the others.
@inlinable @inline(__always)
func scatteredLanes<F: FoldFunction, I: InstructionSet>(
  _ x: UnsafePointer<Float>, _ layout: ReduceLayout, _: F.Type, _: I.Type
) -> Vector {
  var lanes = nnp_splat(F.start)
  var pending = nnp_splat(F.start)
  let step = layout.reducedStrides[layout.reducedRank &- 1]
  var walk = reducedWalk(layout)
  while walk.next() {
    let source = x + walk.offset0
    var i = 0
    while i < walk.count {
      let lane = (walk.position &+ i) & 15
      let count = min(16 &- lane, walk.count &- i)
      if step == 1 && count == 16 {
        lanes = F.take(lanes, nnp_load(source + i), I.self)
        i &+= 16
        continue
      }
      if step == 1 {
        pending = nnp_load_lanes(source + (i &- lane), lane, lane &+ count, pending)
      } else {
        var j = 0
        while j < count {
          pending[lane &+ j] = source[(i &+ j) &* step]
          j &+= 1
        }
      }
      i &+= count
      if lane &+ count == 16 {
        lanes = F.take(lanes, pending, I.self)
        pending = nnp_splat(F.start)
      }
    }
  }
  // An empty rest takes in the start, which changes nothing.
  return F.take(lanes, pending, I.self)
}

@inlinable @inline(__always)
func reduceKernel<I: InstructionSet>(_ function: ReduceFunction, _: I.Type) -> RangeKernel<ReduceArguments> {
  switch function {
  case .sum: { reduce($0, $1, 1, SumFold.self, I.self) }
  case .mean: { reduce($0, $1, Float($0.layout.reducedCount), SumFold.self, I.self) }
  case .maximum: { reduce($0, $1, 1, MaximumFold.self, I.self) }
  case .minimum: { reduce($0, $1, 1, MinimumFold.self, I.self) }
  case .product: { reduce($0, $1, 1, ProductFold.self, I.self) }
  case .sumOfSquares: { reduce($0, $1, 1, SquareFold.self, I.self) }
  }
}
