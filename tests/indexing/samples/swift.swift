import Foundation
/// A session.
@objc public final class Session: NSObject {
    public static let shared = Session()
    let x = 1
    var y: Int { return 1 }
    public required init(x: Int) {}
    deinit {}
    class func make() -> Session { }
    mutating func run<T>(_ t: T) {}
    subscript(i: Int) -> Int { 1 }
    struct Inner { func f() {} }
    static func == (a: Int, b: Int) -> Bool { true }
}
extension Session: Runnable { func ext() {} }
extension Foo.Bar where T: X { func ext() {} }
protocol Runnable { func go(); var z: Int { get } ; associatedtype T }
public enum AFError: Error { case a; func e() {} }
actor Act {}
typealias Id = String
let Limit = 3
func top() {}
#if os(Linux)
func linux() {}
#endif
