import CPlatform

// A sum or a product for each element, so compiled once for every machine.

extension RecurrentStepArguments {
  /// A step of the simple recurrence, see `Recurrent.Kind.simple`; `function` is f's kernel, which takes `alpha` and `beta`.
  @export(interface)
  public func simpleStep(_ function: UnaryKernel, _ alpha: Float, _ beta: Float, _ rows: Range<Int>) {
    var row = rows.lowerBound
    while row < rows.upperBound {
      let (state, target) = (hidden + row &* units, out + row &* outStride)
      let argument = gates + row &* units
      let isCounted = counts(row)
      if isCounted {
        addProjected(argument, row)
        function(argument, state, units, alpha, beta)
      }
      nnp_copy(target, state, units)
      if keepsSlopes {
        if isCounted { nnp_copy(target + units, argument, units) } else { nnp_clear(target + units, units) }
      }
      row &+= 1
    }
  }

  private func addProjected(_ argument: UnsafeMutablePointer<Float>, _ row: Int) {
    let input = projected + row &* projectedStride
    var j = 0
    while j < units {
      storeColumns(argument + j, units &- j, sum(UnsafePointer(argument + j), input + j, units &- j))
      j &+= 16
    }
  }
}

extension RecurrentGradientStepArguments {
  /// The gradient of the simple recurrence, dh·f′.
  @export(interface)
  public func simpleStep(_ rows: Range<Int>) {
    var row = rows.lowerBound
    while row < rows.upperBound {
      let slopes = self.slopes + row &* slopesStride
      let hidden = self.hidden + row &* units
      let gates = self.gates + row &* units
      let isCounted = counts(row)
      var j = 0
      while j < units {
        let left = units &- j
        var dh = loadColumns(UnsafePointer(hidden + j), left, 0)
        if let dy {
          dh = dh + loadColumns(dy + (row &* dyStride &+ j), left, 0)
        }
        let zero = nnp_splat(0)
        storeColumns(gates + j, left, isCounted ? dh * loadColumns(slopes + j, left, 0) : zero)
        storeColumns(hidden + j, left, isCounted ? zero : dh)
        j &+= 16
      }
      if let out { nnp_copy(out + row &* outStride, gates, units) }
      row &+= 1
    }
  }
}
