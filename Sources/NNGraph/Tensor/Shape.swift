/// The extent of one axis.
public enum Dimension: Equatable, Sendable {
  /// A known extent, 0 or more.
  case fixed(Int)
  /// A free extent such as the batch `N`: an index into ``Graph/symbols``. Equal symbols have equal extents in one run.
  case named(Int)
  /// Some extent that follows from free ones; known once they are.
  case unknown

  /// The extent if it is known.
  @inlinable public var extent: Int? {
    switch self {
    case .fixed(let extent): extent
    case .named, .unknown: nil
    }
  }

  /// Whether the two could be the same extent once all free dimensions are known.
  @inlinable public func mayEqual(_ other: Dimension) -> Bool {
    switch (self, other) {
    case (.fixed(let a), .fixed(let b)): a == b
    case (.fixed, .named), (.fixed, .unknown), (.named, _), (.unknown, _): true
    }
  }

  /// The better known of two dimensions that may be equal.
  @inlinable public func merged(with other: Dimension) -> Dimension {
    switch (self, other) {
    case (.fixed, _): self
    case (_, .fixed): other
    case (.named, _): self
    case (.unknown, _): other
    }
  }
}

/// The extents of a tensor's axes, outermost first. A scalar has none.
public struct Shape: Equatable, Sendable, ExpressibleByArrayLiteral {
  /// No tensor has more axes than this.
  public static let maximumRank = 8
  /// No tensor has more elements than this, so that sizes in bytes never overflow.
  public static let maximumElementCount = 1 << 48

  public var dimensions: [Dimension]

  public init(_ dimensions: [Dimension]) {
    self.dimensions = dimensions
  }

  public init(_ extents: [Int]) {
    dimensions = []
    dimensions.reserveCapacity(extents.count)
    for extent in extents { dimensions.append(.fixed(extent)) }
  }

  public init(arrayLiteral elements: Int...) {
    self.init(elements)
  }

  public var rank: Int { dimensions.count }

  public subscript(axis: Int) -> Dimension {
    get { dimensions[axis] }
    set { dimensions[axis] = newValue }
  }

  /// All extents if every one is known.
  public var extents: [Int]? {
    var result: [Int] = []
    result.reserveCapacity(rank)
    for dimension in dimensions {
      guard let extent = dimension.extent else { return nil }
      result.append(extent)
    }
    return result
  }

  /// The number of elements, or nil while an extent is free or the product exceeds ``maximumElementCount``.
  public var elementCount: Int? {
    var known = true
    var count = 1
    for dimension in dimensions {
      guard let extent = dimension.extent else {
        known = false
        continue
      }
      if extent == 0 { return extents == nil ? nil : 0 }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || product > Shape.maximumElementCount { return nil }
      count = product
    }
    return known ? count : nil
  }

  /// Whether the two shapes have the same rank and extents that may be equal.
  public func mayEqual(_ other: Shape) -> Bool {
    guard rank == other.rank else { return false }
    for axis in 0..<rank where !self[axis].mayEqual(other[axis]) { return false }
    return true
  }

  /// Throws unless rank, extents and the product of the known extents lie within the limits.
  public func validate() throws(NNError) {
    guard rank <= Shape.maximumRank else {
      throw NNError(
        .limitExceeded, "a tensor of rank \(rank); at most \(Shape.maximumRank) axes are supported")
    }
    var count = 1
    for dimension in dimensions {
      guard let extent = dimension.extent else { continue }
      guard extent >= 0 else { throw NNError(.invalidGraph, "a negative dimension: \(extent)") }
      // A zero elsewhere must not hide an absurd extent, so zeros count as ones here.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow, product <= Shape.maximumElementCount else {
        throw NNError(.limitExceeded, "a tensor of shape \(description) has more than 2^48 elements")
      }
      count = product
    }
  }

  /// `(N, 64)`: extents, symbols as `d0`, `d1`, …, and `?` for what is not known.
  public var description: String { describe(symbols: []) }

  /// As ``description``, with the names of free dimensions taken from `symbols`.
  public func describe(symbols: [Name]) -> String {
    var pieces = Message.Pieces(literalCapacity: 0, interpolationCount: rank)
    pieces.appendLiteral("(")
    for axis in 0..<rank {
      if axis > 0 { pieces.appendLiteral(", ") }
      switch self[axis] {
      case .fixed(let extent): pieces.appendInterpolation(extent)
      case .named(let symbol):
        if symbol >= 0 && symbol < symbols.count {
          pieces.appendInterpolation(symbols[symbol].string)
        } else {
          pieces.appendLiteral("d")
          pieces.appendInterpolation(symbol)
        }
      case .unknown: pieces.appendLiteral("?")
      }
    }
    pieces.appendLiteral(")")
    return Message(stringInterpolation: pieces).text
  }
}

/// Element type and shape of a value.
public struct TensorType: Equatable, Sendable {
  public var dtype: DType
  public var shape: Shape

  public init(_ dtype: DType, _ shape: Shape) {
    self.dtype = dtype
    self.shape = shape
  }
}

extension Shape {
  /// The shape both operands are repeated to: axes align at the last one, and an extent of 1 takes the other's.
  ///
  /// - Throws: ``ErrorCode/shapeMismatch`` if two extents differ and neither is 1.
  public static func broadcast(_ a: Shape, _ b: Shape) throws(NNError) -> Shape {
    let rank = max(a.rank, b.rank)
    var result: [Dimension] = []
    result.reserveCapacity(rank)
    for axis in 0..<rank {
      let fromA = axis - (rank - a.rank)
      let fromB = axis - (rank - b.rank)
      let x: Dimension = fromA >= 0 ? a[fromA] : .fixed(1)
      let y: Dimension = fromB >= 0 ? b[fromB] : .fixed(1)
      if x == .fixed(1) {
        result.append(y)
      } else if y == .fixed(1) {
        result.append(x)
      } else if x.mayEqual(y) {
        result.append(broadcastExtent(x, y))
      } else {
        throw NNError(
          .shapeMismatch, "shapes \(a.description) and \(b.description) do not broadcast together")
      }
    }
    return Shape(result)
  }

  /// Two extents of which neither is known to be 1. A free one may still turn out to be 1.
  private static func broadcastExtent(_ x: Dimension, _ y: Dimension) -> Dimension {
    if x == y { return x }
    if x.extent != nil { return x }
    if y.extent != nil { return y }
    return .unknown
  }
}
