import NNGraph
import NNKernels

extension StepBuilder {
  func resolveChain(_ nodes: Schedule.Chain) throws(NNError) {
    var members: [ElementwiseChain.Member] = []
    /// Nodes that the next sum or difference does the work of.
    var absorbed: [Int] = []
    for (index, isAbsorbed) in zip(nodes.members, nodes.isAbsorbed) {
      if isAbsorbed {
        absorbed.append(index)
      } else if !absorbed.isEmpty {
        members.append(try scaledSum(index, absorbed))
        absorbed = []
      } else if !Schedule.isView(resolved.ops[index]) {
        members.append(try chainMember(index))
      }
    }
    let count = outputCount
    let chain = ElementwiseChain(members: members, count: count)
    let scratch = layout.scratch
    emit(units: chain.blockCount, cost: Step.cost(count, members.count)) { blocks, thread in
      chain.run(blocks, scratch[thread])
    }
  }

  /// A sum or difference with the scaling of its operands.
  private func scaledSum(_ index: Int, _ absorbed: [Int]) throws(NNError) -> ElementwiseChain.Member {
    let node = graph.nodes[index]
    guard let role = ElementwiseRole(node, resolved, resolved.ops[index]) else { throw unsupported() }
    /// An operand and what scales it, if anything does.
    func operand(_ position: Int) -> (ElementwiseChain.Place, ElementwiseChain.Place?) {
      for source in absorbed where graph.nodes[source].outputs[0] == node.inputs[position] {
        let inputs = graph.nodes[source].inputs
        let isFirstScalar = resolved.types[inputs[0].index].shape.elementCount == 1
        return (place(inputs[isFirstScalar ? 1 : 0]), place(inputs[isFirstScalar ? 0 : 1]))
      }
      return (place(node, position, role), nil)
    }
    let ((a, aScale), (b, bScale)) = (operand(0), operand(1))
    let result = place(node.outputs[0])
    let kernel = kernels.scaledSum(resolved.ops[index] == .binary(.subtract))
    return { first, length, scratch in
      kernel(
        a.floats(scratch, first), a.step, aScale?.floats(scratch, 0).pointee ?? 1, b.floats(scratch, first),
        b.step,
        bScale?.floats(scratch, 0).pointee ?? 1, result.results(scratch, first), length)
    }
  }

  func chainMember(_ index: Int) throws(NNError) -> ElementwiseChain.Member {
    let node = graph.nodes[index]
    guard let role = ElementwiseRole(node, resolved, resolved.ops[index]) else { throw unsupported() }
    let a = place(node, 0, role)
    let b = node.inputs.count > 1 ? place(node, 1, role) : a
    let c = node.inputs.count > 2 ? place(node, 2, role) : a
    let result = place(node.outputs[0])
    switch resolved.ops[index] {
    case .unary(let activation):
      let (kernel, alpha, beta) = (kernels.unary(activation.function), activation.alpha, activation.beta)
      return { first, length, scratch in
        kernel(a.floats(scratch, first), result.results(scratch, first), length, alpha, beta)
      }
    case .binary(let function):
      guard let kernel = kernels.combine(function) else { throw unsupported() }
      guard let layout = role.layout else {
        return { first, length, scratch in
          kernel(
            a.floats(scratch, first), a.step, b.floats(scratch, first), b.step,
            result.results(scratch, first), length)
        }
      }
      return repeated(layout, a, b, c, result) { a, aStep, b, bStep, _, _, out, length in
        kernel(elements(a), aStep, elements(b), bStep, out.assumingMemoryBound(to: Float.self), length)
      }
    case .compare(let function):
      let kernel = kernels.compareBlock(function)
      guard let layout = role.layout else {
        return { first, length, scratch in
          kernel(
            a.floats(scratch, first), a.step, b.floats(scratch, first), b.step,
            result.address(scratch, first).assumingMemoryBound(to: UInt8.self), length)
        }
      }
      return repeated(layout, a, b, c, result) { a, aStep, b, bStep, _, _, out, length in
        kernel(elements(a), aStep, elements(b), bStep, out.assumingMemoryBound(to: UInt8.self), length)
      }
    case .select:
      let kernel = kernels.selectBlock
      guard let layout = role.layout else {
        return { first, length, scratch in
          kernel(
            a.conditions(scratch, first), a.step, b.floats(scratch, first), b.step, c.floats(scratch, first),
            c.step,
            result.results(scratch, first), length)
        }
      }
      return repeated(layout, a, b, c, result) { a, aStep, b, bStep, c, cStep, out, length in
        kernel(
          UnsafePointer(a.assumingMemoryBound(to: UInt8.self)), aStep, elements(b), bStep, elements(c), cStep,
          out.assumingMemoryBound(to: Float.self), length)
      }
    case .reduce, .argument, .matmul, .convolution, .pool, .normalize, .softmax, .recurrent,
      .recurrentGradient, .reshape, .transpose,
      .expand, .slice,
      .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random, .normalizeTraining,
      .convolutionWeightGradient,
      .unfold, .fold, .poolGradient:
      throw unsupported()
    }
  }

  private typealias Run = (
    _ a: UnsafeMutableRawPointer, _ aStep: Int, _ b: UnsafeMutableRawPointer, _ bStep: Int,
    _ c: UnsafeMutableRawPointer, _ cStep: Int, _ out: UnsafeMutableRawPointer, _ length: Int
  ) -> Void

  /// A member with an operand that repeats in another way than as one number: run by run.
  private func repeated(
    _ layout: BroadcastLayout, _ a: ElementwiseChain.Place, _ b: ElementwiseChain.Place,
    _ c: ElementwiseChain.Place,
    _ result: ElementwiseChain.Place, _ body: @escaping Run
  ) -> ElementwiseChain.Member {
    let last = layout.rank - 1
    return { first, length, scratch in
      var walk = StridedWalk(
        layout.rank, layout.dims, layout.strides0, layout.strides1, layout.strides2, first..<first + length)
      while walk.next() {
        // Operands in scratch are whole: their blocks begin at the block's first element.
        let done = walk.position - first
        body(
          a.address(scratch, walk.offset0, done), layout.strides0[last],
          b.address(scratch, walk.offset1, done),
          layout.strides1[last], c.address(scratch, walk.offset2, done), layout.strides2[last],
          result.address(scratch, walk.position, done), walk.count)
      }
    }
  }

  private func place(_ node: Node, _ operand: Int, _ role: ElementwiseRole) -> ElementwiseChain.Place {
    var place = place(node.inputs[operand])
    if role.operands[operand] == .scalar { place.step = 0 }
    return place
  }

  private func place(_ value: ValueID) -> ElementwiseChain.Place {
    let size = resolved.types[value.index].dtype.size
    let slot = layout.slots[value.index]
    return slot < 0
      ? ElementwiseChain.Place(base: layout.pointers[value.index], elementSize: size)
      : ElementwiseChain.Place(base: nil, slot: slot * ElementwiseChain.blockSize, elementSize: size)
  }
}

private func elements(_ pointer: UnsafeMutableRawPointer) -> UnsafePointer<Float> {
  UnsafePointer(pointer.assumingMemoryBound(to: Float.self))
}
