import CPlatform

/// See ``CopyArguments``: a walk over pieces of planes, which the two innermost dimensions make; `size` is an element's.
private func stridedCopy(_ arguments: CopyArguments, _ range: Range<Int>, _ size: Int) {
  let last = arguments.rank &- 1
  let from = Steps(arguments.sourceStrides, last)
  let to = Steps(arguments.destinationStrides, last)
  let columns = arguments.dims[last]
  // The walk takes a plane for a dimension that goes nowhere.
  let outer = max(0, last &- 1)
  var (dims, strides0, strides1) = (
    arguments.dims, arguments.sourceStrides, arguments.destinationStrides
  )
  let rows = last == 0 ? 1 : dims[outer]
  let plane = rows &* columns
  dims[outer] = plane
  strides0[outer] = 0
  strides1[outer] = 0
  var walk = StridedWalk(outer &+ 1, dims, strides0, strides1, strides1, range)
  while walk.next() {
    let x = arguments.source + walk.offset0 &* size
    let y = arguments.destination + walk.offset1 &* size
    if walk.count == plane {
      copyBlock(x, from, y, to, rows, columns, size)
      continue
    }
    var first = walk.position % plane
    let end = first &+ walk.count
    while first < end {
      let (row, column) = (first / columns, first % columns)
      let whole = column == 0 ? (end &- first) / columns : 0
      let block = (rows: max(1, whole), columns: whole > 0 ? columns : min(columns &- column, end &- first))
      copyBlock(
        x + from.offset(row, column) &* size, from, y + to.offset(row, column) &* size, to, block.rows,
        block.columns, size)
      first = first &+ block.rows &* block.columns
    }
  }
}

/// How far apart rows and columns of a plane are, in elements.
private struct Steps {
  var row: Int
  var column: Int

  init(_ strides: Dimensions, _ last: Int) {
    column = strides[last]
    row = last == 0 ? 0 : strides[last &- 1]
  }

  func offset(_ row: Int, _ column: Int) -> Int { row &* self.row &+ column &* self.column }
}

private func copyBlock(
  _ x: UnsafeRawPointer, _ from: Steps, _ y: UnsafeMutableRawPointer, _ to: Steps, _ rows: Int,
  _ columns: Int,
  _ size: Int
) {
  switch size {
  case 1: copyBlock(x, from, y, to, rows, columns, UInt8.self)
  case 2: copyBlock(x, from, y, to, rows, columns, UInt16.self)
  // As floats, of which nothing is computed.
  case 4: copyBlock(x, from, y, to, rows, columns, Float.self)
  default: copyBlock(x, from, y, to, rows, columns, UInt64.self)
  }
}

@inline(never)
private func copyBlock<T: BitwiseCopyable>(
  _ source: UnsafeRawPointer, _ from: Steps, _ destination: UnsafeMutableRawPointer, _ to: Steps, _ rows: Int,
  _ columns: Int, _: T.Type
) {
  let x = source.assumingMemoryBound(to: T.self)
  let y = destination.assumingMemoryBound(to: T.self)
  if from.column == 1 && to.column == 1 {
    var row = 0
    while row < rows {
      nnp_copy_bytes(y + row &* to.row, x + row &* from.row, columns &* MemoryLayout<T>.stride)
      row &+= 1
    }
  } else if from.row == 1 && to.column == 1 && from.column != 0 && rows > 1 {
    transpose(x, from.column, y, to.row, rows, columns)
  } else if from.column == 1 && to.row == 1 && rows > 1 {
    transpose(x, from.row, y, to.column, columns, rows)
  } else {
    var row = 0
    while row < rows {
      copyRow(x + row &* from.row, from.column, y + row &* to.row, to.column, columns)
      row &+= 1
    }
  }
}

/// y[i·to] = x[i·from] for i in 0..<count.
@inline(__always)
func copyRow<T: BitwiseCopyable>(
  _ x: UnsafePointer<T>, _ from: Int, _ y: UnsafeMutablePointer<T>, _ to: Int, _ count: Int
) {
  if from == 0 && to == 1 {
    y.update(repeating: x.pointee, count: count)
    return
  }
  var (source, target) = (x, y)
  var rest = count
  while rest >= 4 {
    let four = (source[0], source[from], source[2 &* from], source[3 &* from])
    (target[0], target[to], target[2 &* to], target[3 &* to]) = four
    source += 4 &* from
    target += 4 &* to
    rest &-= 4
  }
  while rest > 0 {
    target.pointee = source.pointee
    source += from
    target += to
    rest &-= 1
  }
}

/// nil for other elements than those of 1, 2, 4 or 8 bytes.
func copyKernel(_ elementSize: Int) -> RangeKernel<CopyArguments>? {
  switch elementSize {
  case 1, 2, 4, 8: { stridedCopy($0, $1, elementSize) }
  default: nil
  }
}
