defmodule Plug.Conn do
  @moduledoc """
  The connection.
  """
  use Foo
  alias X.Y
  @timeout 5000
  @type t :: %__MODULE__{}
  defstruct a: 1

  @doc """
  Sends it. More.
  """
  @doc since: "1.2"
  @spec send(t) :: t
  # why
  def send(conn), do: conn
  defp valid?(x) when is_list(x) do
    x
  end
  def no_args do
    1
  end
  def a + b, do: 1
  defmacro __using__(_), do: nil
  defguard is_x(y) when y
  defdelegate foo(x), to: Bar
  defmodule Inner do
    def f, do: 1
  end
  test "works well", %{x: x} do
    assert x
  end
  describe "group" do
    test "inner" do
    end
  end
  if x do
    def g, do: 1
  end
end
defimpl String.Chars, for: Foo do
  def to_string(x), do: x
end
defprotocol P do
  def go(x)
end
