import NNGraph

/// The wire codes of the operators, grouped by family with room between; they never change.
enum OpCode: UInt16, CaseIterable {
  case unary = 1
  case binary = 2
  case compare = 3
  case select = 4

  case reduce = 16
  case argument = 17

  case matmul = 32
  case convolution = 33
  case pool = 34

  case normalize = 48
  case softmax = 49

  case recurrent = 56
  case recurrentGradient = 57

  case reshape = 64
  case transpose = 65
  case expand = 66
  case slice = 67
  case pad = 68
  case concat = 69

  case gather = 80
  case scatterAdd = 81
  case scatter = 82
  case argsort = 83

  case cast = 96
  case castWithMode = 97

  case dynamic = 104

  case random = 112

  case unfold = 120
  case fold = 121
  case poolGradient = 122
  case convolutionWeightGradient = 123
  case normalizeTraining = 124
}

extension Op {
  var code: OpCode {
    switch self {
    case .unary: .unary
    case .binary: .binary
    case .compare: .compare
    case .select: .select
    case .reduce: .reduce
    case .argument: .argument
    case .matmul: .matmul
    case .convolution: .convolution
    case .pool: .pool
    case .normalize: .normalize
    case .softmax: .softmax
    case .recurrent: .recurrent
    case .recurrentGradient: .recurrentGradient
    case .reshape: .reshape
    case .transpose: .transpose
    case .expand: .expand
    case .slice: .slice
    case .pad: .pad
    case .concat: .concat
    case .gather: .gather
    // The sum was there first, and has a code of its own.
    case .scatter(let function, _): function == .add ? .scatterAdd : .scatter
    case .argsort: .argsort
    case .cast(_, let mode): mode == .standard ? .cast : .castWithMode
    case .dynamic: .dynamic
    case .random: .random
    case .normalizeTraining: .normalizeTraining
    case .convolutionWeightGradient: .convolutionWeightGradient
    case .unfold: .unfold
    case .fold: .fold
    case .poolGradient: .poolGradient
    }
  }
}

/// The wire codes of ``Dynamic``: parameters that are values, results whose extents are values, graphs inside the graph.
enum DynamicCode: UInt8, CaseIterable {
  case shape = 0
  case reshape = 1
  case expand = 2
  case slice = 3
  case pad = 4
  case range = 5

  case nonZero = 16
  case unique = 17
  case nonMaxSuppression = 18

  case branch = 32
  case loop = 33
}

extension Dynamic {
  var code: DynamicCode {
    switch self {
    case .shape: .shape
    case .reshape: .reshape
    case .expand: .expand
    case .slice: .slice
    case .pad: .pad
    case .range: .range
    case .nonZero: .nonZero
    case .unique: .unique
    case .nonMaxSuppression: .nonMaxSuppression
    case .branch: .branch
    case .loop: .loop
    }
  }
}
