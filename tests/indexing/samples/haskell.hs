{-# LANGUAGE X #-}
-- | The module.
module Data.Foo (bar) where

import Data.List

-- | A thing.
-- More.
data Thing a = Thing { x :: Int } | Other
  deriving (Eq)

newtype N = N Int
type S = String
class Show a where
  show :: a -> String
  show = undefined
instance Show Int where
  show x = "a"

-- | Does it.
bar :: Int -> Int
bar 0 = 1
bar x = y
  where y = x

infixl 6 +++
(+++) :: Int -> Int -> Int
a +++ b = a
top = 3
type family F a where
  F Int = Bool
