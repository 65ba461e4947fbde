require 'x'
module Rack
  LIMIT = 1
  # Helps. Often.
  class Utils::Helper < Base
    attr_reader :x
    include Foo
    def self.escape(s) = s
    private def empty?
      true
    end
    class << self
      def other=(x)
      end
    end
    scope :x, -> { }
    define_method(:foo) do |x|
      1
    end
  end
  Point = Struct.new(:x) do
    def dist; end
  end
end
describe "thing" do
  it "works" do
    expect 1
  end
end
namespace :db do
  desc "x"
  task :migrate do
  end
end
if x
  def cond; end
end
