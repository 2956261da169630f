/** The id of the first row of each class in the demo. The examples of the documentation use it, so they work there. */
export const exampleId = '019b8a6c-4000-7000-8000-000000000001'
