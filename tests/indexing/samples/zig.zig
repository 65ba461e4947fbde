//! Module doc.
const std = @import("std");
const Allocator = std.mem.Allocator;
/// A point.
pub const Point = struct {
    x: i32,
    const zero = 0;
    pub fn add(self: Point) Point {
        return self;
    }
};
pub fn main() !void {}
const LIMIT: u32 = 3;
const E = enum { a, b };
const U = union(enum) { a: i32 };
test "it works" { }
pub fn List(comptime T: type) type { return struct { fn x() void {} }; }
const Err = error{ A };
comptime { _ = 1; }
