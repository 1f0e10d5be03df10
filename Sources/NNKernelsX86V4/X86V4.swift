#if arch(x86_64)
  import CPlatform
  import NNKernels

  /// AVX-512: thirty-two registers of 16 floats. A tile of 4 rows and 64 columns takes sixteen; one of 8 and 48 or
  /// 12 and 32, for many products, twenty-four.
  public enum X86V4: InstructionSet {
    public static var name: StaticString { "v4" }

    @inline(__always)
    public static var hasManyRegisters: Bool { true }

    @inline(__always)
    public static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { nnp_fma(a, b, c) }

    @inline(__always)
    public static func multiply(_ block: ProductBlock) {
      block.run(
        Rows4<X86V4, FourPanels>.self,
        triple: Rows8<X86V4, ThreePanels>.self,
        tall: Rows12<X86V4, TwoPanels>.self,
        pair: Rows8<X86V4, TwoPanels>.self,
        odd: Rows9<X86V4, TwoPanels>.self,
        single: Rows8<X86V4, OnePanel>.self,
        half: Rows8<X86V4, HalfPanel>.self,
        halfRest: Rows4<X86V4, HalfPanel>.self,
        Rows4<X86V4, FourPanels>.self,
        Rows2<X86V4, FourPanels>.self,
        Rows1<X86V4, FourPanels>.self)
    }

    @inline(__always)
    public static func multiplySplit(_ block: ProductBlock) {
      block.multiplySplit(Rows4<X86V4, OnePanel>.self, Rows1<X86V4, OnePanel>.self)
    }

    /// In squares of 16, which registers hold.
    @inline(never)
    public static func transpose(
      _ x: UnsafePointer<Float>, _ xStride: Int, _ y: UnsafeMutablePointer<Float>, _ yStride: Int,
      _ rows: Int, _ columns: Int
    ) {
      var row = 0
      while row < rows {
        var column = 0
        while column < columns {
          nnp_transpose_16x16(
            x + (row &+ column &* xStride), xStride, y + (row &* yStride &+ column), yStride,
            min(16, rows &- row), min(16, columns &- column))
          column &+= 16
        }
        row &+= 16
      }
    }

    @inline(__always)
    public static func multiplyRow(_ block: ProductBlock, _ panels: NarrowPanels) {
      block.multiplyRow(panels, EightPanels.self, X86V4.self)
    }

    /// What this instruction set adds to `X86V3.kernels`; only for a processor that has it (see `nnp_cpu_has_x86_v4`).
    public static var kernels: ArithmeticKernels {
      // A symbol alone: Embedded Swift would otherwise compile a copy of every kernel into each importing module, for
      // the wrong processor.
      @export(interface) get { .make(X86V4.self) }
    }
  }
#endif
