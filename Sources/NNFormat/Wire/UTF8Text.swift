enum UTF8Text {
  /// Whether `bytes` are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF) and
  /// free of U+0000, so that C can take them as strings.
  static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < bytes.count {
      let lead = bytes[index]
      let length: Int
      // The range of the second byte is what excludes overlong forms and surrogates.
      var second: ClosedRange<UInt8> = 0x80...0xBF
      switch lead {
      case 0x01...0x7F:
        index += 1
        continue
      case 0xC2...0xDF: length = 2
      case 0xE0: (length, second) = (3, 0xA0...0xBF)
      case 0xED: (length, second) = (3, 0x80...0x9F)
      case 0xE1...0xEF: length = 3
      case 0xF0: (length, second) = (4, 0x90...0xBF)
      case 0xF1...0xF3: length = 4
      case 0xF4: (length, second) = (4, 0x80...0x8F)
      default: return false
      }
      guard bytes.count - index >= length, second.contains(bytes[index + 1]) else { return false }
      for next in 2..<max(length, 2) where bytes[index + next] & 0xC0 != 0x80 { return false }
      index += length
    }
    return true
  }

  static func isValid(_ name: [UInt8]) -> Bool { name.withUnsafeBytes { isValid($0) } }
}
