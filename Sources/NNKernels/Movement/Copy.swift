import CPlatform

/// See ``CopyArguments``.
func stridedCopy<T: BitwiseCopyable>(_ arguments: CopyArguments, _ range: Range<Int>, _: T.Type) {
  let source = arguments.source.assumingMemoryBound(to: T.self)
  let destination = arguments.destination.assumingMemoryBound(to: T.self)
  let last = arguments.rank &- 1
  let from = arguments.sourceStrides[last]
  let to = arguments.destinationStrides[last]
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.sourceStrides, arguments.destinationStrides,
    arguments.destinationStrides, range)
  while walk.next() {
    let x = source + walk.offset0
    let y = destination + walk.offset1
    if from == 1 && to == 1 && walk.count >= 16 {
      memcpy(y, x, walk.count &* MemoryLayout<T>.stride)
    } else if from == 0 && to == 1 {
      y.update(repeating: x.pointee, count: walk.count)
    } else {
      var i = 0
      while i < walk.count {
        y[i &* to] = x[i &* from]
        i &+= 1
      }
    }
  }
}

func copyKernel(_ elementSize: Int) -> RangeKernel<CopyArguments>? {
  switch elementSize {
  case 1: { stridedCopy($0, $1, UInt8.self) }
  case 2: { stridedCopy($0, $1, UInt16.self) }
  case 4: { stridedCopy($0, $1, UInt32.self) }
  case 8: { stridedCopy($0, $1, UInt64.self) }
  default: nil
  }
}
