import NNGraph

extension OnnxValueInfoProto {
  /// A declaration of a tensor. Free dimensions keep the names that `symbols` gives them; what follows from them has none.
  init(_ name: String, _ type: TensorType, symbols: [Name]) {
    self.init()
    self.name = name
    var tensor = OnnxTypeProto.Tensor()
    tensor.elemType = Int32(ElementType.number(type.dtype))
    // Without axes too there is a shape: that of a scalar.
    tensor.shape = OnnxTensorShapeProto()
    tensor.shape.dim = type.shape.dimensions.map { dimension in
      var proto = OnnxTensorShapeProto.Dimension()
      switch dimension {
      case .fixed(let extent): proto.dimValue = Int64(extent)
      case .named(let symbol): proto.dimParam = symbols[symbol].string
      case .unknown: break
      }
      return proto
    }
    self.type.tensorType = tensor
  }
}
