import NNGraph
import NNKernels

/// The products of a batch: the first one, and for the operands and the results what lies between one and the next along each axis of the
/// batch, 0 where an operand is broadcast.
struct BatchedProduct {
  var first: MatmulArguments
  var a: [Int]
  var b: [Int]
  var c: [Int]
  private let batch: [Int]

  /// Matrices that follow each other.
  init(_ route: MatmulRoute, first: MatmulArguments) throws(NNError) {
    self.first = first
    batch = route.batch
    a = try BatchedProduct.strides(route.aBatch, route.m * route.k, in: batch)
    b = try BatchedProduct.strides(route.bBatch, route.bSize, in: batch)
    c = try BatchedProduct.strides(batch, route.m * route.n, in: batch)
  }

  private static func strides(_ extents: [Int], _ size: Int, in batch: [Int]) throws(NNError) -> [Int] {
    guard var strides = BroadcastLayout.broadcastStrides(of: extents, to: batch) else { throw unsupported }
    for axis in strides.indices { strides[axis] *= size }
    return strides
  }

  private static var unsupported: NNError {
    NNError(.unsupportedOperator, "there is no kernel for products in this arrangement")
  }

  func placed() throws(NNError) -> PlacedProduct {
    guard let places = BroadcastLayout(dims: batch, strides0: a, strides1: b, strides2: c) else {
      throw BatchedProduct.unsupported
    }
    return PlacedProduct(first: first, places: places)
  }
}

/// A ``BatchedProduct`` with as few axes as it takes.
struct PlacedProduct {
  let first: MatmulArguments
  let places: BroadcastLayout

  /// The product at a position of the batch.
  func product(_ position: Int) -> MatmulArguments {
    let offsets = places.offsets(at: position)
    var one = first
    one.a += offsets.0
    one.panels += offsets.1
    one.c += offsets.2
    return one
  }
}

extension BroadcastLayout {
  /// Offsets of the three operands at a position counted in row-major order.
  func offsets(at position: Int) -> (Int, Int, Int) {
    var rest = position
    var result = (0, 0, 0)
    var axis = rank - 1
    while axis >= 0 {
      let coordinate = rest % dims[axis]
      rest /= dims[axis]
      result.0 += coordinate * strides0[axis]
      result.1 += coordinate * strides1[axis]
      result.2 += coordinate * strides2[axis]
      axis -= 1
    }
    return result
  }
}
