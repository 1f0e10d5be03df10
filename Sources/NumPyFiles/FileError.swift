import Foundation

/// Plain words for what Foundation throws about files.
public enum FileError {
  /// What the operating system says went wrong, without Foundation's wrapping.
  public static func reason(_ error: any Error) -> String {
    var underlying = error as NSError
    while let inner = underlying.userInfo[NSUnderlyingErrorKey] as? NSError { underlying = inner }
    if underlying.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(underlying.code))) }
    switch CocoaError.Code(rawValue: underlying.code) {
    case .fileReadNoSuchFile, .fileNoSuchFile: return "No such file or directory"
    case .fileReadNoPermission, .fileWriteNoPermission: return "Permission denied"
    default: return underlying.localizedDescription
    }
  }
}
