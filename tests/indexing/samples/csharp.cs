using System;
namespace Dapper.X
{
    /// <summary>
    /// Maps rows.
    /// </summary>
    [Serializable]
    public sealed partial class Mapper<T> : IMapper where T : class
    {
        public const int Limit = 1;
        private static readonly int size = Compute(1);
        public Mapper(int size) { }
        ~Mapper() { }
        public int Size { get; set; }
        public string this[int i] { get { return ""; } }
        public static async Task<List<T>> QueryAsync<T>(
            string sql)
        {
            int Local() => 1;
            return await Run(sql);
        }
        public static Mapper operator +(Mapper a, Mapper b) => a;
        public static implicit operator int(Mapper a) => 1;
        event EventHandler Changed;
        void IFoo.Bar() {}
#if NET8
        internal void Run() { }
#endif
        #region X
        delegate int Handler(int x);
        #endregion
        class Inner { void M() {} }
    }
    public record struct Point(int X);
    public record Person(string Name) { }
    public enum Color { Red }
    interface IShape { void Draw(); }
    struct S {}
}
