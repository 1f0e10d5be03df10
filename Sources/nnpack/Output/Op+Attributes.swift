import NNGraph

extension Op {
  /// The attributes in a few words, as `3×3, stride 2×2, groups 4, relu`; empty if there are none.
  var attributeText: String {
    switch self {
    case .unary(let activation): return activation.text
    case .binary(let function): return "\(function)"
    case .compare(let function): return "\(function)"
    case .select: return ""
    case .reduce(let reduce): return "\(reduce.function) over \(reduce.axes)"
    case .argument(let argument):
      return
        "\(argument.selectsLast ? "last " : "")\(argument.findsMaximum ? "maximum" : "minimum") over \(argument.axis)"
    case .matmul(let matmul):
      return list([
        matmul.transposesA ? "aᵀ" : "", matmul.transposesB ? "bᵀ" : "", matmul.activation.fusedText,
      ])
    case .convolution(let convolution):
      let groups = convolution.groups == 1 ? "" : "groups \(convolution.groups)"
      return list([convolution.window.text, groups, convolution.activation.fusedText])
    case .pool(let pool): return list(["\(pool.function)", pool.window.text])
    case .normalize(let normalize): return "\(normalize.kind), epsilon \(normalize.epsilon)"
    case .softmax(let softmax): return "\(softmax.function) over \(softmax.axis)"
    case .recurrent(let recurrent), .recurrentGradient(let recurrent, _):
      return list([
        "\(recurrent.kind)", recurrent.activation.fusedText, recurrent.isReversed ? "reversed" : "",
        recurrent.keepsSlopes ? "with slopes" : "",
      ])
    case .reshape, .expand: return ""
    case .transpose(let permutation): return "\(permutation)"
    case .slice(let ranges):
      return "["
        + ranges.map { $0 == .all ? ":" : "\($0.start):\($0.end):\($0.step)" }.joined(separator: ", ") + "]"
    case .pad(let pad): return "\(pad.before), \(pad.after) with \(pad.value)"
    case .concat(let axis): return "axis \(axis)"
    case .gather(let axis): return "axis \(axis)"
    case .scatter(let function, let axis): return "\(function), axis \(axis)"
    case .argsort(let axis, let isDescending): return "axis \(axis), \(isDescending ? "de" : "a")scending"
    case .cast(let dtype, let mode): return "to \(dtype.name)" + (mode == .standard ? "" : ", \(mode)")
    case .dynamic(let dynamic): return dynamic.attributeText
    case .random(let function, let stream): return "\(function), stream \(stream)"
    case .normalizeTraining(let training):
      return training.kind == .layerGradient || training.kind == .batchGradient
        ? list(["\(training.kind)", "epsilon \(training.epsilon)"]) : "\(training.kind)"
    case .convolutionWeightGradient(let window, let groups):
      return groups == 1 ? window.text : window.text + " groups \(groups)"
    case .unfold(let window): return window.text
    case .fold(let window, let height, let width): return list(["to \(height)×\(width)", window.text])
    case .poolGradient(let pool): return list(["\(pool.function)", pool.window.text])
    }
  }

  private func list(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: ", ") }
}

extension Dynamic {
  fileprivate var attributeText: String {
    switch self {
    case .shape, .expand, .range, .nonZero: ""
    case .reshape(let allowsZero): allowsZero ? "0 is an extent" : ""
    case .slice(let axes), .pad(let axes, _): "axes \(axes)"
    case .unique(let axis, let sorts):
      (axis.map { "axis \($0), " } ?? "") + (sorts ? "sorted" : "as they come")
    case .nonMaxSuppression(let isCentered): isCentered ? "boxes by centre" : "boxes by corners"
    case .branch(let then, let otherwise): "bodies \(then) and \(otherwise)"
    case .loop(let body, let carried): "body \(body), carries \(carried)"
    }
  }
}

extension Activation {
  /// The function's name with the parameters that it has.
  fileprivate var text: String {
    switch function {
    case .leakyRelu, .elu: "\(function)(\(alpha))"
    case .clip: "clip(\(alpha), \(beta))"
    case .identity, .negate, .absolute, .square, .squareRoot, .reciprocalSquareRoot, .reciprocal,
      .exponential,
      .logarithm, .sign, .floor, .ceiling, .round, .errorFunction, .sine, .cosine, .logarithm1p,
      .exponentialMinus1,
      .tangent, .arcsine, .arccosine, .arctangent, .sinh, .cosh, .asinh, .acosh, .atanh, .sigmoid, .tanh,
      .relu, .gelu, .geluTanh, .silu, .softplus:
      "\(function)"
    }
  }

  fileprivate var fusedText: String { function == .identity ? "" : text }
}

extension Window {
  fileprivate var text: String {
    func pair(_ values: [Int]) -> String { values.map { "\($0)" }.joined(separator: "×") }
    var parts = [pair(extent)]
    if strides != [1, 1] { parts.append("stride " + pair(strides)) }
    if dilations != [1, 1] { parts.append("dilation " + pair(dilations)) }
    if paddingBefore != [0, 0] || paddingAfter != [0, 0] {
      parts.append(
        paddingBefore == paddingAfter
          ? "padding " + pair(paddingBefore) : "padding \(pair(paddingBefore)) to \(pair(paddingAfter))")
    }
    return parts.joined(separator: ", ")
  }
}
