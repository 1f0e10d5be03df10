import NNGraph
import NNKernels

/// The members of a chain, resolved to kernels that work on one block at a time.
struct ElementwiseChain {
  /// Elements of a block, and bytes that a slot of scratch has for them: what half a dozen operands of fit into the first-level cache.
  static let blockLength = 1024
  /// A line more than the elements, so that slots do not share the cache's sets.
  static let blockSize = blockLength * 4 + 64

  /// A member's work on the block that begins with element `first`, with a thread's scratch.
  typealias Member = (_ first: Int, _ length: Int, _ scratch: UnsafeMutableRawPointer) -> Void

  /// Where an operand or result lies.
  struct Place {
    /// Memory of the whole tensor, or nil for a slot of scratch.
    var base: UnsafeMutableRawPointer?
    /// Bytes from the beginning of a thread's scratch to the slot.
    var slot = 0
    /// 4, or 1 for conditions.
    var elementSize = 4
    /// 1, or 0 for a single element.
    var step = 1

    /// The address of element `index`, counted in steps; `done` elements of the block lie before it.
    @inline(__always)
    func address(_ scratch: UnsafeMutableRawPointer, _ index: Int, _ done: Int = 0) -> UnsafeMutableRawPointer
    {
      guard let base else { return scratch + slot + done * elementSize }
      return base + index * elementSize
    }

    @inline(__always)
    func floats(_ scratch: UnsafeMutableRawPointer, _ first: Int) -> UnsafePointer<Float> {
      UnsafePointer(address(scratch, first * step).assumingMemoryBound(to: Float.self))
    }

    @inline(__always)
    func conditions(_ scratch: UnsafeMutableRawPointer, _ first: Int) -> UnsafePointer<UInt8> {
      UnsafePointer(address(scratch, first * step).assumingMemoryBound(to: UInt8.self))
    }

    @inline(__always)
    func results(_ scratch: UnsafeMutableRawPointer, _ first: Int) -> UnsafeMutablePointer<Float> {
      address(scratch, first).assumingMemoryBound(to: Float.self)
    }
  }

  let members: [Member]
  /// Elements of each result.
  let count: Int

  var blockCount: Int { (count + ElementwiseChain.blockLength - 1) / ElementwiseChain.blockLength }

  /// Runs some blocks with a thread's scratch.
  func run(_ blocks: Range<Int>, _ scratch: UnsafeMutableRawPointer) {
    var block = blocks.lowerBound
    while block < blocks.upperBound {
      let first = block * ElementwiseChain.blockLength
      let length = min(ElementwiseChain.blockLength, count - first)
      var next = 0
      while next < members.count {
        members[next](first, length, scratch)
        next += 1
      }
      block += 1
    }
  }
}
