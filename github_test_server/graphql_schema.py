"""The server's part of GitHub's GraphQL schema: names, types and nullability are GitHub's.

https://docs.github.com/en/graphql/overview/public-schema
"""

from typing import Final

SCHEMA: Final = """
scalar Base64String
scalar DateTime
scalar GitObjectID

type Query {
  rateLimit(dryRun: Boolean = false): RateLimit
  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
  viewer: User!
}

type RateLimit {
  cost: Int!
  limit: Int!
  nodeCount: Int!
  remaining: Int!
  resetAt: DateTime!
  used: Int!
}

interface Node {
  id: ID!
}

type User implements Node {
  databaseId: Int
  id: ID!
  login: String!
}

type Repository implements Node {
  databaseId: Int
  defaultBranchRef: Ref
  id: ID!
  isEmpty: Boolean!
  isPrivate: Boolean!
  name: String!
  nameWithOwner: String!
  object(expression: String, oid: GitObjectID): GitObject
  ref(qualifiedName: String!): Ref
  refs(after: String, first: Int, refPrefix: String!): RefConnection
}

type RefConnection {
  nodes: [Ref]
  pageInfo: PageInfo!
  totalCount: Int!
}

type PageInfo {
  endCursor: String
  hasNextPage: Boolean!
}

type Ref implements Node {
  id: ID!
  name: String!
  prefix: String!
  target: GitObject
}

interface GitObject {
  abbreviatedOid: String!
  id: ID!
  oid: GitObjectID!
}

type Commit implements GitObject & Node {
  abbreviatedOid: String!
  authoredDate: DateTime!
  committedDate: DateTime!
  id: ID!
  message: String!
  messageHeadline: String!
  oid: GitObjectID!
  tree: Tree!
}

type Tree implements GitObject & Node {
  abbreviatedOid: String!
  entries: [TreeEntry!]
  id: ID!
  oid: GitObjectID!
}

type TreeEntry {
  mode: Int!
  name: String!
  nameRaw: Base64String!
  object: GitObject
  oid: GitObjectID!
  path: String
  pathRaw: Base64String
  size: Int!
  type: String!
}

type Blob implements GitObject & Node {
  abbreviatedOid: String!
  byteSize: Int!
  id: ID!
  isBinary: Boolean
  isTruncated: Boolean!
  oid: GitObjectID!
  text: String
}

type Tag implements GitObject & Node {
  abbreviatedOid: String!
  id: ID!
  name: String!
  oid: GitObjectID!
  target: GitObject!
}
"""
