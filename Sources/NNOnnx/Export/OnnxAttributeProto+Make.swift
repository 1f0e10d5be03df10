import FoundationEssentials

extension OnnxAttributeProto {
  // Numbers of AttributeProto.AttributeType.

  static func float(_ name: String, _ value: Float) -> OnnxAttributeProto {
    make(name, type: 1) { $0.f = value }
  }

  static func int(_ name: String, _ value: Int) -> OnnxAttributeProto {
    make(name, type: 2) { $0.i = Int64(value) }
  }

  static func flag(_ name: String, _ value: Bool) -> OnnxAttributeProto { int(name, value ? 1 : 0) }

  static func string(_ name: String, _ value: String) -> OnnxAttributeProto {
    make(name, type: 3) { $0.s = Data(value.utf8) }
  }

  static func graph(_ name: String, _ value: OnnxGraphProto) -> OnnxAttributeProto {
    make(name, type: 5) { $0.g = value }
  }

  static func floats(_ name: String, _ values: [Float]) -> OnnxAttributeProto {
    make(name, type: 6) { $0.floats = values }
  }

  static func ints(_ name: String, _ values: [Int]) -> OnnxAttributeProto {
    make(name, type: 7) { $0.ints = values.map { Int64($0) } }
  }

  static func strings(_ name: String, _ values: [String]) -> OnnxAttributeProto {
    make(name, type: 8) { $0.strings = values.map { Data($0.utf8) } }
  }

  private static func make(_ name: String, type: Int32, _ fill: (inout OnnxAttributeProto) -> Void)
    -> OnnxAttributeProto
  {
    var attribute = OnnxAttributeProto()
    attribute.name = name
    attribute.type = type
    fill(&attribute)
    return attribute
  }
}
